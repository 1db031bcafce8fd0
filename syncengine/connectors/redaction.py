"""Blanking secrets at capture: what is not kept cannot leak (conventions.md: never in logs, reprs, errors, audit).

Blanked are headers and fields by name, signatures in pre-signed URLs, and the literal secrets of the connection
wherever they turn up. Business data stays as it is, bank accounts included: an auditor needs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlsplit

from syncengine.connectors import jsonio

BLANK = "***"
CUT = "… [cut]"
_BLANK_VALUE = f'"{BLANK}"'
_NESTED = _BLANK_VALUE + "\0"  # marks that more of the secret follows

_HEADERS = frozenset({"authorization", "proxyauthorization", "cookie", "setcookie", "xapikey", "wwwauthenticate"})
_ENDINGS = (
    "password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "sessionid", "privatekey",
    "authorization", "credential", "credentials", "b1session", "clientassertion",
)  # fmt: skip
_HARMLESS = frozenset({"continuationtoken", "xbwapicontinuationtoken", "nexttoken", "pagetoken"})
_QUERY = frozenset({"xamzsignature", "xamzcredential", "signature", "sig", "awsaccesskeyid", "policy", "keypairid"})

_JSON_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:\s*)("(?:[^"\\]|\\.)*(?:"|$)|[^\s,}\]"]+|\{|\[)')
_FORM_FIELD = re.compile(r"(^|&)([^=&\s]+)=([^&\s]*)")
_QUERY_FIELD = re.compile(r"((?:[?&;]|\\u0026|&amp;)([A-Za-z0-9_.\-%]+)=)((?:(?!\\u0026|&amp;)[^&\s\"'<>])+)")
_COOKIE_TEXT = re.compile(r"(?i)\b(B1SESSION|ROUTEID)=[^;\s\"']+")
_ESCAPED_NAME = re.compile(r'\\u00(?:[0-7]|[89a-fA-F][0-9a-fA-F](?:[^"\\]|\\.)*"\s*:)')
_NO_NAMES = bytes(byte for byte in range(256) if not chr(byte).isascii() or not (chr(byte).isalnum() or byte in b'"='))
_ALIKE = bytes.maketrans(b"=", b'"')
_LONG_FOR_A_WORD = 12  # a part of a path
_SHORTEST_SECRET = 4  # a shorter one would blank half of every text


class Redactor:
    """Blanks one connection's secrets. `secrets` are literal values; each is also found quoted for URL and JSON."""

    def __init__(self, secrets: Sequence[str] = (), capture_chars: int = 100_000) -> None:
        spellings = {form for secret in secrets for form in _spellings(secret)}
        self._longest = max((len(form) for form in spellings), default=0)
        self._spellings = sorted(spellings, key=len, reverse=True)
        self._literal = re.compile("|".join(map(re.escape, self._spellings))) if spellings else None
        self._capture = capture_chars

    def text(self, text: str) -> str:
        """Any text that people may see, a quoted JSON body in it included."""
        if not _mentions(text, frozenset()):
            return self._finish(text)
        blanked = _JSON_FIELD.sub(lambda match: _blank_json(match, frozenset()), text)
        before, nested, _ = blanked.partition(_NESTED)
        return self._finish(f"{before}{_BLANK_VALUE}{CUT}" if nested else blanked)

    def _finish(self, text: str) -> str:
        """What does not depend on fields: session cookies, signed query strings, literal secrets."""
        if "=" in text:
            text = _COOKIE_TEXT.sub(rf"\1={BLANK}", text)
            text = _QUERY_FIELD.sub(_blank_query, text)
        # Looking for each spelling first takes a tenth of the time of the expression, and hardly ever finds one.
        if self._literal and any(form in text for form in self._spellings):
            return self._literal.sub(BLANK, text)
        return text

    def url(self, url: str) -> str:
        """The URL with user info and signatures blanked."""
        return self.text(re.sub(r"//[^/?#@]*@", f"//{BLANK}@", url))

    def headers(self, pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
        """Header lines as one mapping; repeated ones are joined, those that authenticate are blanked."""
        kept: dict[str, str] = {}
        for name, value in pairs:
            shown = BLANK if _plain(name) in _HEADERS or is_secret_name(name) else self.text(value)
            kept[name] = f"{kept[name]}, {shown}" if name in kept else shown
        return kept

    def body(self, body: bytes | None, content_type: str = "", extra: Iterable[str] = ()) -> str:
        """A body as text with secret fields blanked, cut at the capture limit; binary ones only by their size."""
        if not body:
            return ""
        if _is_binary(body, content_type):
            return f"[{len(body)} bytes {content_type or 'binary'}]"
        names = frozenset(_plain(name) for name in extra)
        if len(body) <= self._capture:
            return self._finish(_blank_fields(body.decode("utf-8", errors="replace"), content_type, names))
        return self._cut(body, content_type, names)

    def _cut(self, body: bytes, content_type: str, names: frozenset[str]) -> str:
        """Of a long body only the beginning; a literal secret lying across the cut goes with the tail."""
        beginning = body[: self._capture * 4].decode("utf-8", errors="replace")[: self._capture]
        shown = self._finish(_blank_fields(beginning, content_type, names))
        return shown[: len(shown) - self._longest] + CUT


def shown_url(url: str) -> str:
    """Of an address that may be a key itself (an incoming webhook's) what anybody may see: where it leads."""
    parts = urlsplit(url)
    home = f"{parts.scheme}://{parts.netloc}"
    return url if url.removeprefix(home) in {"", "/"} else f"{home}/{BLANK}"


def secrets_of_url(url: str) -> tuple[str, ...]:
    """Such an address and its parts as literal secrets: who answers may repeat any of them."""
    try:
        parts = urlsplit(url)
    except ValueError:  # the guard says what is wrong with it
        return (url,)
    long = [part for part in parts.path.split("/") if len(part) >= _LONG_FOR_A_WORD]
    values = [value for _, value in parse_qsl(parts.query)]
    return tuple(part for part in (url, f"{parts.path}?{parts.query}", parts.path, parts.query, *long, *values) if part)


@lru_cache(maxsize=4096)
def is_secret_name(name: str, extra: frozenset[str] = frozenset()) -> bool:
    """Whether a field or header of this name is never kept: webhookAuthenticationToken, client_secret, SessionId …"""
    return _is_secret(_plain(name), extra)


@lru_cache(maxsize=4096)
def _is_secret(plain: str, extra: frozenset[str]) -> bool:
    return plain in extra or (plain.endswith(_ENDINGS) and plain not in _HARMLESS)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _spellings(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST_SECRET:
        return
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]


def _blank_query(match: re.Match[str]) -> str:
    plain = _plain(unquote_plus(match[2]))
    return match[1] + BLANK if plain in _QUERY or _is_secret(plain, frozenset()) else match[0]


def _is_binary(body: bytes, content_type: str) -> bool:
    return content_type.lower().startswith(("multipart/", "image/", "application/pdf", "application/octet")) or (
        b"\0" in body[:1024]
    )


def _mentions(text: str, extra: frozenset[str]) -> bool:
    """Whether a secret's name can be in the text at all; most pages of rows are spared the search field by field.

    A name ends with a quotation mark, in a form with `=`: SAP's AuthorizationStatus is none.
    """
    if '"' not in text and "=" not in text:
        return False
    names = text.encode(errors="replace").lower().translate(_ALIKE, _NO_NAMES)
    return _has_escapes(text) or any(f'{name}"'.encode() in names for name in (*_ENDINGS, *extra))


def _has_escapes(text: str) -> bool:
    """Whether a name may be spelled with escapes: one of a plain letter anywhere, or of any other inside a name."""
    return "\\u00" in text and _ESCAPED_NAME.search(text) is not None


def _blank_fields(text: str, content_type: str, extra: frozenset[str]) -> str:
    if not _mentions(text, extra):
        return text
    if "form-urlencoded" in content_type.lower():
        return _FORM_FIELD.sub(lambda match: _blank_form(match, extra), text)
    blanked = _JSON_FIELD.sub(lambda match: _blank_json(match, extra), text)
    # A secret name over an object, or a name spelled with escapes: only a real parse knows where it ends.
    return _blank_parsed(text, extra) if _NESTED in blanked or _has_escapes(text) else blanked


def _blank_json(match: re.Match[str], extra: frozenset[str]) -> str:
    if not is_secret_name(match[1], extra):
        return _keep_searching(match, extra)
    return f'"{match[1]}"{match[2]}{_NESTED if match[3] in "{[" else _BLANK_VALUE}'


def _keep_searching(match: re.Match[str], extra: frozenset[str]) -> str:
    """A harmless field whose text value is itself JSON (a message inside a message) is blanked inside as well."""
    if '\\"' not in match[3]:
        return match[0]
    inner = re.sub(
        r'\\"([A-Za-z0-9_\-]+)\\"(\s*:\s*)\\"(?:[^"\\]|\\(?!").)*\\"',
        lambda found: f'\\"{found[1]}\\"{found[2]}\\"{BLANK}\\"' if is_secret_name(found[1], extra) else found[0],
        match[3],
    )
    return f'"{match[1]}"{match[2]}{inner}'


def _blank_parsed(text: str, extra: frozenset[str]) -> str:
    try:
        return json.dumps(_walk(jsonio.loads(text), extra), ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return f"[{len(text)} characters, not kept: secrets in a body that cannot be read as JSON]"


def _walk(value: Any, extra: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: BLANK if is_secret_name(key, extra) else _walk(item, extra) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, extra) for item in value]
    return value


def _blank_form(match: re.Match[str], extra: frozenset[str]) -> str:
    secret = is_secret_name(unquote_plus(match[2]), extra)
    return f"{match[1]}{match[2]}={BLANK}" if secret else match[0]
