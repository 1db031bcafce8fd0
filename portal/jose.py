"""ID tokens: signed JWTs (RFC 7515, 7519), checked against the keys that the identity provider publishes.

Signatures by public keys only: `none` and HMAC (where our own client secret would sign) are no algorithms here.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
_CURVES = {"ES256": ("P-256", ec.SECP256R1, 32), "ES384": ("P-384", ec.SECP384R1, 48)}
_RSA = {f"{kind}{size}" for kind in ("RS", "PS") for size in _HASHES}
ALGORITHMS = frozenset({*_RSA, *_CURVES})
_SMALLEST_RSA_KEY = 2048
_LONGEST_TOKEN = 64 * 1024


class BadToken(Exception):
    """The token cannot be trusted; the message says why, for the log and the admin."""


def verified_claims(token: str, keys: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The claims of a token that one of the JWKS' `keys` has signed. What they say is for the caller to judge."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST_TOKEN:
        raise BadToken("the ID token is no signed JWT")
    header = _json(parts[0])
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header:
        raise BadToken(f"the ID token is signed by {str(algorithm)[:20]!r}, which is not accepted")
    signed, signature = f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2])
    if not any(_verifies(algorithm, key, signed, signature) for key in _candidates(keys, header, algorithm)):
        raise BadToken("no key of the identity provider has signed the ID token")
    return _json(parts[1])


def _candidates(keys: Iterable[Mapping[str, Any]], header: Mapping[str, Any], alg: str) -> list[Mapping[str, Any]]:
    """The keys that may have signed: of the right kind, for signatures, and by the id that the token names."""
    kind = "RSA" if alg in _RSA else "EC"
    fitting = [key for key in keys if key.get("kty") == kind and key.get("use", "sig") == "sig"]
    fitting = [key for key in fitting if key.get("alg", alg) == alg]
    return [key for key in fitting if key.get("kid") == header["kid"]] if "kid" in header else fitting


def _verifies(algorithm: str, key: Mapping[str, Any], signed: bytes, signature: bytes) -> bool:
    try:
        if algorithm in _RSA:
            _verify_rsa(algorithm, key, signed, signature)
        else:
            _verify_ec(algorithm, key, signed, signature)
    except (InvalidSignature, BadToken, KeyError, ValueError, TypeError):
        return False
    return True


def _verify_rsa(algorithm: str, key: Mapping[str, Any], signed: bytes, signature: bytes) -> None:
    public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
    if public.key_size < _SMALLEST_RSA_KEY:
        raise BadToken("the provider's RSA key is too short")
    digest = _HASHES[algorithm[2:]]()
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    public.verify(signature, signed, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)


def _verify_ec(algorithm: str, key: Mapping[str, Any], signed: bytes, signature: bytes) -> None:
    name, curve, size = _CURVES[algorithm]
    if key["crv"] != name or len(signature) != 2 * size:
        raise BadToken("the key is on another curve")
    public = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), curve()).public_key()
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(_HASHES[algorithm[2:]]()))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken("the ID token is not encoded as it should be") from error


def _json(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except (ValueError, RecursionError) as error:
        raise BadToken("the ID token holds no JSON") from error
    if not isinstance(found, dict):
        raise BadToken("the ID token holds no JSON object")
    return found
