"""The words of Python, shown in the viewer's language.

Python speaks English: what it stores, logs and answers to programs stays the same whoever looks. A page translates it
when it shows it. What has no translation is shown as it is: names, what the two systems said, and words of people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.safestring import SafeData
from django.utils.translation import get_language, gettext

from portal.languages import ENGLISH
from portal.sentences import SENTENCES

_PLACE = re.compile(r"%\((\w+)\)s")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!:]) (?=[A-Z“\"(])")
# Places where again words of ours stand, not a name or a number.
_OF_WORDS = re.compile(r"(words|word|noun|reason|unit|what|flow|table|deed|kind|entity)(_\d)?")
# Where only one word fits, so that "%(host)s is %(addresses)s" does not take any sentence with "is" in it.
_ONE_WORD = frozenset(("host", "port", "code", "row", "address", "user", "status", "seconds"))


@dataclass(frozen=True)
class _Pattern:
    """A sentence with places, and how it is found."""

    msgid: str
    found: re.Pattern[str]
    longest: str
    """Its longest piece, in small letters: who has not that need not be matched, which takes longer."""


def told(text: object) -> str:
    """The text in the language of the page; as it is where nobody translated it."""
    language = get_language() or ENGLISH
    plain = str(text or "")
    ours = plain and not isinstance(plain, SafeData)  # markup comes from libraries that translate it themselves
    return _told(plain, language) if ours and language != ENGLISH else plain


@lru_cache(maxsize=4096)
def _told(text: str, language: str) -> str:
    """`language` is the one that is active: it is what answers are kept by."""
    whole = _sentence(text)
    if whole is not None:
        return whole
    return " ".join(_sentence(one) or one for one in _BETWEEN_SENTENCES.split(text))


def _sentence(text: str) -> str | None:
    """None for a sentence that is not ours. A capital or a full stop more or less does not make it another one."""
    for msgid, capital, stop in _spellings(text):
        if msgid in _plain():
            return _spelled(gettext(msgid), capital=capital, stop=stop)
    bare, small = text.rstrip("."), text.lower()
    for pattern in _patterns():
        match = pattern.found.fullmatch(bare) if pattern.longest in small else None
        if match:
            places = {name: _filled(name, value) for name, value in match.groupdict().items()}
            capital = text[:1].isupper()
            stop = text.endswith(".") and not pattern.msgid.endswith(".")
            return _spelled(_put(gettext(pattern.msgid), places), capital=capital, stop=stop)
    return None


def _put(text: str, places: Mapping[str, str]) -> str:
    """Not by %: a sentence may have a per cent sign of its own."""
    return _PLACE.sub(lambda place: places[place[1]], text)


def _spellings(text: str) -> Iterator[tuple[str, bool, bool]]:
    """A text as it may stand in the catalogue, with what has to be put back: its capital, its full stop."""
    lowered = text[:1].lower() + text[1:]
    yield text, False, False
    yield lowered, True, False
    if text.endswith("."):
        yield text[:-1], False, True
        yield lowered[:-1], True, True


def _spelled(text: str, *, capital: bool, stop: bool) -> str:
    text = text[:1].upper() + text[1:] if capital else text
    return f"{text}." if stop and not text.endswith(".") else text


def _filled(name: str, value: str) -> str:
    """Words of ours may be several: `net 5.00 in SAP, 4.00 on the invoice; tax ...`."""
    if not _OF_WORDS.fullmatch(name):
        day = _day(value)
        return date_format(day, "DATE_FORMAT") if day else value
    return _sentence(value) or "; ".join(_sentence(one) or _listed(one) for one in value.split("; "))


def _day(text: str) -> date | None:
    try:
        return parse_date(text) if len(text) == len("2026-05-31") else None
    except ValueError:  # 31 June
        return None


def _listed(text: str) -> str:
    return ", ".join(_sentence(one) or one for one in text.split(", "))


@cache
def _plain() -> frozenset[str]:
    return frozenset(sentence for sentence in SENTENCES if not _PLACE.search(sentence))


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """Those that say the most first, so that a short one does not take what belongs to a longer one."""
    placed = [sentence for sentence in SENTENCES if _PLACE.search(sentence)]
    ordered = sorted(placed, key=lambda sentence: -len(_PLACE.sub("", sentence)))
    return tuple(_Pattern(sentence, _compiled(sentence), _longest(sentence)) for sentence in ordered)


def _longest(sentence: str) -> str:
    return max(_PLACE.sub("\0", sentence.rstrip(".")).lower().split("\0"), key=len)


def _compiled(sentence: str) -> re.Pattern[str]:
    """Places take what is there; the first letter may be a capital, the full stop is the caller's."""
    pieces = _PLACE.split(sentence.rstrip("."))
    first = pieces[0]
    begun = f"[{re.escape(first[0].lower())}{re.escape(first[0].upper())}]{re.escape(first[1:])}" if first else ""
    places = zip(pieces[1::2], pieces[2::2], strict=True)
    rest = "".join(f"(?P<{name}>{_what_fits(name)}){re.escape(text)}" for name, text in places)
    return re.compile(begun + rest, re.DOTALL)


def _what_fits(name: str) -> str:
    return r"\S+?" if name in _ONE_WORD else ".+?"
