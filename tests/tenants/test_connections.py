"""Connection forms without the web: parsing, and where a secret would be sent."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from syncengine.engine.connecting import save_connection
from tenants.connections import parse, read_back
from tenants.errors import Refused
from tests import factories
from tests.factories import BASWARE, NOON, SAP, SAP_OAUTH


def a_certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sap.example.com")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + dt.timedelta(days=1))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_certificate_in_pem_is_taken():
    pem = a_certificate()
    form, secret = parse("sap_b1", {**SAP, "ca_certificate": pem * 2})
    assert form.ca_certificate.count("BEGIN CERTIFICATE") == 2
    assert secret == factories.SAP_PASSWORD


def test_empty_optional_fields_are_as_if_left_out():
    form, _ = parse("sap_b1", {**SAP, "ca_certificate": "", "user_defined_id_field": " "})
    assert form.ca_certificate is None
    assert form.user_defined_id_field is None


@pytest.mark.parametrize(
    "path", ["/b1s/v2", "/b1s/v1", "/B1S/V2", "/sap/b1s/v2", "/b1s/v2/"], ids=lambda path: path.strip("/")
)
def test_service_roots_in_any_version_case_and_behind_any_prefix(path):
    form, _ = parse("sap_b1", {**SAP, "base_url": f"https://sap.example.com:50000{path}"})
    assert form.base_url == f"https://sap.example.com:50000{path.rstrip('/')}"


def test_a_secret_is_taken_as_it_is_blanks_included():
    assert parse("sap_b1", {**SAP, "password": "  spaced out "})[1] == "  spaced out "


def test_the_same_place_in_other_words_is_the_same_place():
    def place(**fields):
        return parse("basware", {**BASWARE, **fields})[0].destination()

    assert place() == place(base_url="https://API.basware.example.com:443/")
    assert place() == place(token_url="https://api.basware.example.com/v1/tokens")
    assert place() != place(token_url="https://api.basware.example.com/v2/tokens")
    assert place() != place(base_url="https://api.basware.example.com:444")


def test_errors_name_every_field_and_hold_no_value():
    with pytest.raises(Refused) as refused:
        parse("basware", {**BASWARE, "base_url": "nonsense", "client_id": "", "extra": "canary-value"})
    assert {error.field for error in refused.value.errors} == {"base_url", "client_id", "extra"}
    assert "canary-value" not in str(refused.value)


def test_reading_back_needs_no_secret_to_be_decrypted(integration, django_assert_num_queries):
    from tenants.models import Connection

    factories.connection(integration, "basware")
    row = Connection.objects.without_secrets().get()
    with django_assert_num_queries(0):
        shown = read_back(row)
    assert shown["client_secret"] == {"set": True, "changed_at": NOON.isoformat()}
    assert shown["scopes"] is None


# The log-in to SAP by OAuth


def test_a_log_in_by_token_needs_no_user_and_no_password():
    form, secret = parse("sap_b1", SAP_OAUTH)
    assert (form.client_id, form.token_url) == ("ledgerbridge", SAP_OAUTH["token_url"])
    assert secret == SAP_OAUTH["client_secret"]


@pytest.mark.parametrize("auth", ["password", None])
def test_a_password_is_the_kind_of_log_in_where_none_is_named(auth):
    form, secret = parse("sap_b1", {**SAP, **({"auth": auth} if auth else {})})
    assert "auth" not in form.model_dump()
    assert secret == factories.SAP_PASSWORD


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"auth": "kerberos"}, {"auth"}),
        ({"auth": "oauth"}, {"username", "password", "client_id", "token_url"}),
        ({"token_url": "https://login.example.com/token"}, {"token_url"}),
    ],
)
def test_fields_of_one_log_in_do_not_fit_the_other(fields, wrong):
    with pytest.raises(Refused) as refused:
        parse("sap_b1", {**SAP, **fields})
    assert {error.field for error in refused.value.errors} == wrong


def test_the_secret_of_a_token_log_in_is_entered_again_when_the_token_url_changes(integration):
    save_connection(integration, "sap_b1", SAP_OAUTH, "admin@example.com")
    kept = {name: value for name, value in SAP_OAUTH.items() if name != "client_secret"}
    save_connection(integration, "sap_b1", {**kept, "client_id": "other"}, "admin@example.com")
    with pytest.raises(Refused) as refused:
        save_connection(integration, "sap_b1", {**kept, "token_url": "https://evil.example.com/t"}, "admin@example.com")
    assert [error.field for error in refused.value.errors] == ["client_secret"]


@pytest.mark.parametrize(("first", "then"), [(SAP, SAP_OAUTH), (SAP_OAUTH, SAP)])
def test_another_kind_of_log_in_asks_for_its_own_secret_and_forgets_the_other(integration, first, then):
    save_connection(integration, "sap_b1", first, "admin@example.com")
    secretless = {name: value for name, value in then.items() if name not in {"password", "client_secret"}}
    with pytest.raises(Refused):
        save_connection(integration, "sap_b1", secretless, "admin@example.com")
    stored = save_connection(integration, "sap_b1", then, "admin@example.com")
    assert len(stored.secrets) == 1
    assert {*read_back(stored)} & {"password", "client_secret"} == {*stored.secrets}
