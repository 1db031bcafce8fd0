"""Finding records by what people know of them: a number, a vendor, an amount, an id. Pages and API search alike.

Each word must be found somewhere in COLUMNS, as a piece of a longer one too; a word that reads as an amount may be the
amount instead. On PostgreSQL the trigram index `record_words` answers it (migration 0013).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from syncengine.flows import registry
from syncengine.models import Record
from tenants.models import Integration
from tenants.row_security import unbound

COLUMNS = ("key", "title", "reference", "party", "search")
LONGEST, MOST_WORDS = 100, 6
SHORTEST_PIECE = 3
"""A trigram index knows no shorter piece: a shorter word is found where a word begins."""
_BEGINNINGS = (" ", "-", "/")
MANY, NEAR = 2000, 20_000
"""From so many on, a word is common: the first few are then looked for among the nearest rows before all are sorted."""
_AMOUNT = re.compile(
    r"(?P<before>[€$£]|[a-z]{3}(?=[\s\d-]))?\s*(?P<number>-?\d[\d.,'’\s]*)(?P<after>[€$£]|[a-z]{3})?", re.I
)
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3}(?:\1\d{3})*)")
_CURRENCIES = {"€": "EUR", "£": "GBP", "$": ""}  # many countries call theirs dollar
_MOST_DIGITS, _MOST_PLACES = 13, 6
_OUR_NUMBER = re.compile(r"#(\d{1,18})")


class _Words(Func):
    """All that a record is called, in lower case, each with a space before it: word for word what is indexed."""

    template = "LOWER(' ' || %(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = TextField()


def narrow(rows: QuerySet[Record], text: str) -> QuerySet[Record]:
    """The rows that fit what somebody typed; all for blank text, none where it has nothing to look for."""
    typed = cleaned(text)
    if not typed:
        return rows
    terms = list(_terms(typed))
    return rows.alias(words=_Words(*map(F, COLUMNS))).filter(*terms) if terms else rows.none()


def cleaned(text: str) -> str:
    """What is looked for: a bounded piece of it, blanks made one, without the one character PostgreSQL refuses."""
    return " ".join(text.replace("\0", " ")[:LONGEST].split())


def _terms(typed: str) -> Iterator[Q]:
    number = _OUR_NUMBER.fullmatch(typed)
    if number:
        yield Q(pk=int(number[1]))
        return
    words = list(dict.fromkeys(typed.lower().split()))[:MOST_WORDS]
    amount = _amount(typed) if len(words) > 1 else None
    if amount is not None:  # "1 234,50 EUR" is one amount, not three words
        yield amount
        return
    for word in words:
        if any(character.isalnum() for character in word):  # nothing else can be looked up
            yield reduce(or_, [_named(word), *filter(None, [_amount(word)])])


def _named(word: str) -> Q:
    if len(word) >= SHORTEST_PIECE:
        return Q(words__contains=word)
    return reduce(or_, (Q(words__contains=beginning + word) for beginning in _BEGINNINGS))


def _amount(text: str) -> Q | None:
    found = _AMOUNT.fullmatch(text)
    values = amounts_of(found["number"]) if found else []
    if found is None or not values:
        return None
    sign = found["before"] or found["after"] or ""
    currency = _CURRENCIES.get(sign, sign.upper())
    return Q(amount__in=values, currency=currency) if currency else Q(amount__in=values)


def amounts_of(number: str) -> list[Decimal]:
    """What the number may mean: 1,234.50 and 1.234,50 are one amount each, 1,234 may be two. Empty for what is none."""
    compact = re.sub(r"[\s'’]", "", number)
    readings = {_read(compact, point) for point in ".,"}
    return sorted({Decimal(reading) for reading in readings if reading})


def _read(compact: str, point: str) -> str:
    """The number with `point` before its decimals and the other mark between thousands; "" where that cannot be."""
    whole, _, places = compact.partition(point)
    digits = whole.removeprefix("-")
    if not (digits.isdecimal() or _GROUPED.fullmatch(digits)) or not (places.isdecimal() or not places):
        return ""
    whole = re.sub(r"[.,]", "", whole)
    return f"{whole}.{places or 0}" if len(whole) <= _MOST_DIGITS and len(places) <= _MOST_PLACES else ""


@dataclass(frozen=True)
class Found:
    """An integration's rows that fit what somebody typed, to be ordered by id and cut, as pagers do with a query.

    Only keys are looked up with the index; the rows are then read as the database lets this organization see them.
    """

    integration: Integration
    rows: QuerySet[Record]
    text: str = ""

    def filter(self, **conditions: Any) -> Found:
        return replace(self, rows=self.rows.filter(**conditions))

    def order_by(self, *ordering: str) -> Found:
        return replace(self, rows=self.rows.order_by(*ordering))

    def __getitem__(self, wanted: slice) -> list[Record]:
        if not cleaned(self.text):
            return list(self.rows[wanted])
        with unbound():
            keys = _keys(self.integration, self.rows, self.text, wanted.stop)[wanted.start :]
        return _in_order(self.rows.order_by(), keys)


def best(integrations: Sequence[Integration], text: str, count: int, shown: QuerySet[Record]) -> list[Record]:
    """The first few: what is called exactly so before what only holds it, then the newest."""
    typed = cleaned(text)
    if not typed:
        return []
    with unbound():
        keys = list(_called(integrations, typed).order_by("-pk").values_list("pk", flat=True)[:count])
        newest: list[int] = []
        for integration in integrations:  # one by one: each has its index by age
            newest += _keys(integration, Record.objects.order_by("-pk"), typed, count)
    keys = list(dict.fromkeys([*keys, *sorted(newest, reverse=True)]))
    return _in_order(shown, keys[:count])


def _called(integrations: Sequence[Integration], typed: str) -> QuerySet[Record]:
    spellings = {typed, typed.upper(), typed.lower()}
    rows = Record.objects.filter(integration__in=integrations, flow__in=registry.known())
    return rows.filter(Q(key__in=spellings) | Q(reference__in=spellings))


def _keys(integration: Integration, rows: QuerySet[Record], text: str, count: int) -> list[int]:
    """The first keys in the rows' order, by id or against it.

    What fits only a few is found by its trigrams and sorted here; what fits many is among the nearest; else all are
    sorted. PostgreSQL cannot tell beforehand which is which: it guesses how many rows a LIKE will fit.
    """
    # The index compares with the column's own type only, which a small number as such does not have.
    rows = rows.filter(integration=Cast(Value(integration.pk), BigIntegerField()))
    found = narrow(rows, text).values_list("pk", flat=True)
    descending = rows.query.order_by[0] in {"-pk", "-id"}
    if connection.vendor != "postgresql":
        return list(found[:count])
    with _planned("enable_seqscan", "enable_indexscan"):
        some = list(found.order_by()[:MANY])
    if len(some) < MANY:
        return sorted(some, reverse=descending)[:count]
    with _planned("enable_seqscan", "enable_bitmapscan"):
        last = list(rows.values_list("pk", flat=True)[NEAR : NEAR + 1])
        side = "pk__gt" if descending else "pk__lt"
        some = list(found.filter(**{side: last[0]} if last else {})[:count])
    if len(some) == count or not last:
        return some
    with _planned("enable_seqscan", "enable_indexscan"):
        return list(found[:count])


@contextmanager
def _planned(*without: str) -> Iterator[None]:
    """For one query, plans that the database shall not use."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("".join(f"SET LOCAL {plan} = off;" for plan in without))
        yield
        cursor.execute("".join(f"SET LOCAL {plan} = on;" for plan in without))


def _in_order(rows: QuerySet[Record], keys: Sequence[int]) -> list[Record]:
    by_key = {record.pk: record for record in rows.filter(pk__in=keys)}
    return [by_key[key] for key in keys if key in by_key]
