"""ID tokens are believed only when a published key of the right kind has signed exactly what they say."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.jose import BadToken, verified_claims
from tests.portal.accounts.identity_provider import EcKey, RsaKey, encoded, token

RSA, EC = RsaKey(), EcKey()
KEYS = [RSA.public(), EC.public()]
CLAIMS = {"sub": "anna", "exp": 1}


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_what_a_published_key_has_signed_is_believed(key):
    assert verified_claims(token(key, CLAIMS), KEYS) == CLAIMS


def test_a_token_without_a_key_id_is_tried_with_every_key_of_its_kind():
    assert verified_claims(token(RSA, CLAIMS, kid=RSA.kid), [RsaKey(kid="rsa-2").public(), RSA.public()]) == CLAIMS


def unsigned(algorithm: str) -> str:
    return f"{encoded(json.dumps({'alg': algorithm}).encode())}.{encoded(json.dumps(CLAIMS).encode())}."


def signed_with_the_public_key() -> str:
    """The old confusion: an HMAC under what everybody knows."""
    head = encoded(json.dumps({"alg": "HS256", "kid": RSA.kid}).encode())
    signed = f"{head}.{encoded(json.dumps(CLAIMS).encode())}"
    return f"{signed}.{encoded(hmac.digest(json.dumps(RSA.public()).encode(), signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize(
    "bad",
    [
        unsigned("none"),
        unsigned("NONE"),
        unsigned("RS256"),
        signed_with_the_public_key(),
        token(RSA, CLAIMS, alg="PS256"),
        token(RSA, CLAIMS, alg="ES256"),
        token(RSA, CLAIMS, alg="RS1"),
        token(RSA, CLAIMS, alg=["RS256"]),
        token(RSA, CLAIMS, crit=["exp"]),
        token(RSA, CLAIMS, kid="unknown"),
        token(RsaKey(), CLAIMS),
        token(RSA, CLAIMS) + "x" * 70_000,
        "a.b",
        "a.b.c.d",
        "",
        "é.é.é",
    ],
)
def test_everything_else_is_not(bad):
    with pytest.raises(BadToken):
        verified_claims(bad, KEYS)


def test_a_changed_claim_breaks_the_signature():
    head, _, signature = token(RSA, CLAIMS).split(".")
    with pytest.raises(BadToken):
        verified_claims(f"{head}.{encoded(json.dumps({**CLAIMS, 'sub': 'eve'}).encode())}.{signature}", KEYS)


def test_a_short_rsa_key_signs_nothing():
    weak = RsaKey(size=1024)
    with pytest.raises(BadToken):
        verified_claims(token(weak, CLAIMS), [weak.public()])


def test_keys_for_encryption_and_for_another_algorithm_are_passed_over():
    for change in ({"use": "enc"}, {"alg": "RS512"}, {"kty": "oct"}, {"n": None}):
        with pytest.raises(BadToken):
            verified_claims(token(RSA, CLAIMS), [{**RSA.public(), **change}])


KEY_LIKE = st.dictionaries(st.sampled_from(["kty", "n", "e", "kid"]), st.integers() | st.text(max_size=9) | st.none())


@given(st.text(max_size=50), st.binary(max_size=50), st.lists(KEY_LIKE, max_size=2))
def test_no_token_and_no_keys_break_it(text, raw, keys):
    for bad in (text, f"{encoded(raw)}.{encoded(raw)}.{encoded(raw)}", f"{encoded(b'{}')}.{text}.{text}"):
        with pytest.raises(BadToken):
            verified_claims(bad, keys)
