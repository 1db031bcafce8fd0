"""The signature of notifications (contracts: Basware §16.4); the vectors are Basware's samples."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors.basware.signature import HEADER, Verification, is_readable, verify

from .conftest import recorded

VECTORS = recorded("signature_vectors")
SECRET = VECTORS["secret"]
PAIRS = [(vector["body"].encode(), vector) for vector in VECTORS["vectors"]]
BODY, VECTOR = PAIRS[0]


def test_the_header_has_the_name_of_the_contract():
    assert VECTORS["header"] == HEADER


@pytest.mark.parametrize(("body", "vector"), PAIRS, ids=["ascii", "not ascii"])
def test_the_vectors_verify_as_hex_and_as_base64(body, vector):
    assert verify(body, vector["hex"], [SECRET]) == Verification("hex", 0)
    assert verify(body, vector["base64"], [SECRET]) == Verification("base64", 0)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (VECTOR["hex"], "hex"),
        (VECTOR["hex"].upper(), "HEX"),
        (VECTOR["hex"].title(), "hex"),
        (VECTOR["base64"], "base64"),
        (VECTOR["base64"].rstrip("="), "base64"),
        (f"sha256={VECTOR['hex']}", "sha256=hex"),
        (f"sha256={VECTOR['hex'].upper()}", "sha256=HEX"),
        (f"SHA256={VECTOR['base64']}", "sha256=base64"),
        (f"  {VECTOR['hex']} ", "hex"),
    ],
)
def test_every_spelling_is_taken_and_told(header, form):
    assert verify(BODY, header, [SECRET]) == Verification(form, 0)


def test_url_safe_base64_is_told_apart():
    body, vector = PAIRS[1]
    assert {"+", "/"} & set(vector["base64"])
    spelled = base64.urlsafe_b64encode(bytes.fromhex(vector["hex"])).decode()
    assert verify(body, spelled, [SECRET]) == Verification("base64url", 0)
    assert verify(body, spelled.rstrip("="), [SECRET]) == Verification("base64url", 0)


def test_during_rotation_either_secret_verifies_and_the_one_is_told():
    assert verify(BODY, VECTOR["hex"], ["new", SECRET]) == Verification("hex", 1)
    assert verify(BODY, VECTOR["hex"], [SECRET, "old"]) == Verification("hex", 0)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha512=" + VECTOR["hex"],
        VECTOR["hex"][:-1],
        VECTOR["hex"] + "0",
        "0" * 64,
        VECTOR["base64"] + "=",
        VECTOR["base64"][:-2],
        base64.b64encode(b"x" * 32).decode(),
        "z" * 64,
        "ä" * 64,
        "٣" * 64,
        VECTOR["hex"].encode().hex(),
        "sha256=sha256=" + VECTOR["hex"],
        f"{VECTOR['hex']},{VECTOR['hex']}",
    ],
)
def test_any_other_signature_is_refused(header):
    assert verify(BODY, header, [SECRET]) is None


def test_without_a_secret_nothing_verifies():
    assert verify(BODY, VECTOR["hex"], []) is None
    assert verify(BODY, VECTOR["hex"], ["wrong"]) is None


@pytest.mark.parametrize("changed", [BODY + b"\n", BODY.replace(b":", b": "), BODY[:-1], b""])
def test_the_bytes_as_received_are_what_is_signed(changed):
    assert verify(changed, VECTOR["hex"], [SECRET]) is None


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_what_we_sign_verifies_in_every_spelling(body, secret):
    digest = hmac.new(secret.encode(), body, sha256)
    spellings = (
        digest.hexdigest(),
        digest.hexdigest().upper(),
        base64.b64encode(digest.digest()).decode(),
        base64.urlsafe_b64encode(digest.digest()).decode(),
    )
    assert all(verify(body, spelling, [secret]) for spelling in spellings)


@given(st.text())
def test_no_header_breaks_the_check(header):
    assert verify(BODY, header, ["another secret"]) is None


@pytest.mark.parametrize("header", [VECTOR["hex"], VECTOR["base64"], f"sha256={VECTOR['hex']}", f" {VECTOR['hex']} "])
def test_a_known_form_is_readable_whoever_signed(header):
    assert is_readable(header)


@pytest.mark.parametrize("header", ["", "nonsense", VECTOR["hex"][:-1], f"{VECTOR['hex']}0", "sha256=", "é" * 64])
def test_any_other_length_or_letter_is_not(header):
    assert not is_readable(header)
