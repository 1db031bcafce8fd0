"""What a connection consists of: fields and their rules, secrets that can only be written, and what changed.

Nothing here knows the network; whether a URL is allowed is asked by the caller (syncengine.engine.connecting).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from cryptography import x509
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tenants.errors import FieldError, Refused
from tenants.models import Connection, System

_SERVICE_ROOT = re.compile(r"(/[^/?#]+)*/b1s/v[12]", re.IGNORECASE)
_OWN_FIELD = re.compile(r"U_\w{1,48}")
_PEM_WANTED = "A certificate in PEM form, beginning with -----BEGIN CERTIFICATE-----."


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc:
        raise ValueError("Enter a whole URL that starts with https://.")
    if parts.query or "?" in url:
        raise ValueError("The URL must not have a query (?).")
    return url.rstrip("/")


def _service_layer_root(url: str) -> str:
    """Another spelling of the path is let through: only the server knows, and ping then says what is wrong."""
    url = _plain_url(url)
    if not _SERVICE_ROOT.fullmatch(urlsplit(url).path):
        raise ValueError("Enter the whole service root, for example https://sap.example.com:50000/b1s/v2.")
    return url


def _host_only(url: str) -> str:
    url = _plain_url(url)
    if urlsplit(url).path:
        raise ValueError("Enter the address without a path, for example https://api.basware.com.")
    return url


def _pem(text: str) -> str:
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        found = []
    if not found:
        raise ValueError(_PEM_WANTED)
    return text


def _split_scopes(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _own_field(name: str) -> str:
    if not _OWN_FIELD.fullmatch(name):
        raise ValueError("Enter the field's name with its U_, for example U_BW_InvoiceId.")
    return name


def _none_if_empty(value: Any) -> Any:
    return None if value == [] or (isinstance(value, str) and not value.strip()) else value


_SENTENCES = {
    "extra_forbidden": ("unknown", "There is no such field."),
    "missing": ("required", "This field is required."),
    "string_too_short": ("required", "This field is required."),
    "string_type": ("invalid", "Enter text."),
    "string_pattern_mismatch": ("invalid", "This holds characters that cannot be here."),
}

Name = Annotated[str, Field(min_length=1, max_length=200)]
Optional = BeforeValidator(_none_if_empty)
Scopes = Annotated[list[Annotated[str, Field(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]{1,100}$")]], Field(max_length=100)]


class ConnectionForm(BaseModel):
    """Base of both forms; `secret` names the one field that is never shown again."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    secret: ClassVar[str]
    urls: ClassVar[tuple[str, ...]] = ("base_url",)

    def destination(self) -> tuple[str, ...]:
        """Where the secret would be sent: it is never sent anywhere else without being entered again."""
        raise NotImplementedError


class _SapB1Fields(ConnectionForm):
    """contracts: SAP §2. `base_url` is the whole service root with its version."""

    base_url: Annotated[str, Field(max_length=400), AfterValidator(_service_layer_root)]
    company_db: Name
    ca_certificate: Annotated[Annotated[str, Field(max_length=100_000), AfterValidator(_pem)] | None, Optional] = None
    user_defined_id_field: Annotated[Annotated[str, AfterValidator(_own_field)] | None, Optional] = None
    tax_field: Literal["VatGroup", "TaxCode", "auto"] = "auto"
    cost_center_dimension: Annotated[int, Field(ge=1, le=5)] = 1

    def destination(self) -> tuple[str, ...]:
        return (_host_and_port(self.base_url),)


class SapB1Form(_SapB1Fields):
    """The log-in that every Service Layer knows: a user of SAP's and its password."""

    secret = "password"  # noqa: S105  # the name of the field

    username: Name


class SapB1OAuthForm(_SapB1Fields):
    """The log-in by a token, where the installation offers it: `token_url` is whole and of its authorization server."""

    secret = "client_secret"  # noqa: S105  # the name of the field
    urls = ("base_url", "token_url")

    auth: Literal["oauth"]
    token_url: Annotated[str, Field(max_length=400), AfterValidator(_plain_url)]
    client_id: Name
    scopes: Annotated[Scopes | None, BeforeValidator(_none_if_empty), BeforeValidator(_split_scopes)] = None

    def destination(self) -> tuple[str, ...]:
        return (*super().destination(), f"{_host_and_port(self.token_url)}{urlsplit(self.token_url).path}")


class RestErpForm(ConnectionForm):
    """A REST ERP in the place of SAP (docs/adding-a-connector.md). `base_url` is what stands before `/v1`."""

    secret = "api_key"  # noqa: S105  # the name of the field

    erp: Literal["rest"]
    base_url: Annotated[str, Field(max_length=400), AfterValidator(_plain_url)]
    company: Annotated[str, Field(pattern=r"^[\w.~-]{1,100}$")]

    def destination(self) -> tuple[str, ...]:
        return (_host_and_port(self.base_url),)


class BaswareForm(ConnectionForm):
    """contracts: Basware §1, §2. `base_url` has no path, `token_url` is whole."""

    secret = "client_secret"  # noqa: S105  # the name of the field
    urls = ("base_url", "token_url")

    base_url: Annotated[str, Field(max_length=400), AfterValidator(_host_only)]
    client_id: Name
    company_code: Annotated[str, Field(min_length=1, max_length=32)]
    token_url: Annotated[Annotated[str, Field(max_length=400), AfterValidator(_plain_url)] | None, Optional] = None
    scopes: Annotated[Scopes | None, BeforeValidator(_none_if_empty), BeforeValidator(_split_scopes)] = None

    def destination(self) -> tuple[str, ...]:
        token_url = self.token_url or f"{self.base_url}/v1/tokens"
        return (_host_and_port(self.base_url), f"{_host_and_port(token_url)}{urlsplit(token_url).path}")


FORMS: dict[str, type[ConnectionForm]] = {System.SAP_B1: SapB1Form, System.BASWARE: BaswareForm}


def form_of(system: str, fields: Mapping[str, Any]) -> type[ConnectionForm]:
    """The form that these fields, entered or stored, belong to."""
    if system == System.SAP_B1 and fields.get("erp") == "rest":
        return RestErpForm
    return SapB1OAuthForm if system == System.SAP_B1 and fields.get("auth") == "oauth" else FORMS[system]


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return f"{scheme}://{(parts.hostname or '').rstrip('.')}:{parts.port or (443 if scheme == 'https' else 80)}"


def parse(system: str, data: Mapping[str, Any]) -> tuple[ConnectionForm, str | None]:
    """The form and the secret if one was entered; Refused names every bad field.

    An empty secret, or the `{"set": true}` that reading gives, means that the stored one stays.
    """
    kind = form_of(system, data)
    given = dict(data)
    secret = given.pop(kind.secret, None)
    given.pop("system", None)
    if kind is SapB1Form and given.get("auth") == "password":
        del given["auth"]  # what every connection without it is
    errors = [] if secret is None or isinstance(secret, str | Mapping) else [FieldError(kind.secret, "Enter text.")]
    form = None
    try:
        form = kind.model_validate(given)
        _check_ports(form)
    except ValidationError as error:
        errors += [_field_error(item) for item in error.errors(include_url=False, include_input=False)]
    except Refused as error:
        errors += error.errors
    if errors or form is None:
        raise Refused(errors)
    return form, secret if isinstance(secret, str) and secret else None


def _check_ports(form: ConnectionForm) -> None:
    for name in form.urls:
        try:
            _ = urlsplit(getattr(form, name) or "").port
        except ValueError:
            raise Refused([FieldError(name, "The port of this URL cannot be read.", "url_invalid")]) from None


def _field_error(item: Any) -> FieldError:
    field = ".".join(str(part) for part in item["loc"] if not str(part).startswith(("function-", "constrained-")))
    code, message = _SENTENCES.get(item["type"], ("invalid", str(item["msg"]).removeprefix("Value error, ")))
    return FieldError(field, message, code)


def check_secret(form: ConnectionForm, secret: str | None, stored: Connection | None) -> None:
    """Refuse to go on without a secret: the first time, and when it would be sent to another place than before."""
    if secret is not None:
        return
    if stored is None or not stored.secrets.get(form.secret):
        raise Refused([FieldError(form.secret, "This field is required.", "required")])
    before = form_of(stored.system, stored.settings).model_validate(stored.settings)
    if before.destination() != form.destination():
        message = "Host, port or token URL changed: enter the secret again, so that it goes nowhere you did not mean."
        raise Refused([FieldError(form.secret, message, "required_again")])


def store(connection: Connection, form: ConnectionForm, secret: str | None, now: datetime) -> None:
    """Write the form and, if there is one, the new secret; the shared session belongs to what was before."""
    connection.settings = form.model_dump(mode="json", exclude_none=True)
    if secret is not None:
        connection.secrets = {form.secret: secret}
        connection.secrets_changed_at = {form.secret: now.isoformat()}
    connection.session = None
    connection.retry_after = None
    connection.failures_in_a_row = 0
    connection.last_ping = None
    connection.last_ping_at = None
    connection.save()


def read_back(connection: Connection) -> dict[str, Any]:
    """What may be shown: every field of the form, of the secret only that it is set and since when."""
    kind = form_of(connection.system, connection.settings)
    shown = {name: connection.settings.get(name, field.default) for name, field in kind.model_fields.items()}
    changed_at = connection.secrets_changed_at.get(kind.secret)
    return {
        "system": connection.system,
        **shown,
        kind.secret: {"set": changed_at is not None, "changed_at": changed_at},
    }
