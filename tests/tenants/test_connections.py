"""Connection forms without the web: parsing, and where a secret would be sent."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tenants.connections import parse, read_back
from tenants.errors import Refused
from tests import factories
from tests.factories import BASWARE, NOON, SAP


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
