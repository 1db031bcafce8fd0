"""The functions that rules may call, in words for the people who write them."""

from __future__ import annotations

from typing import NamedTuple


class Help(NamedTuple):
    """One function: how it is written, and what it gives."""

    name: str
    usage: str
    gives: str


FUNCTIONS = (
    Help("concat", "concat(CardCode, ' ', CardName)", "The texts joined; empty ones are left out."),
    Help("lookup", "lookup('table', field)", "What the lookup table says; nothing where it has no row."),
    Help("lookup", "lookup('table', field, field)", "What the lookup table says, else the value as it is."),
    Help("default", "default(CardName, CardCode)", "The first, or the second when the first is empty."),
    Help("truncate", "truncate(CardName, `50`)", "The first 50 characters."),
    Help("upper", "upper(CardName)", "In capitals."),
    Help("date", "date(DocDate)", "The calendar date as written; nothing where there is none."),
    Help("number", "number(Price)", "As a number; nothing where it is none."),
    Help("number", "number(Price, `2`)", "As a number with two decimals, rounded half up."),
    Help("hash", "hash(CardCode, CardName)", "A fingerprint of the texts, 64 characters."),
    Help("||", "lastComment || description", "The first, or the second when the first is empty or false."),
    Help("join", "join(', ', tags)", "The texts of a list with something between them."),
    Help("contains", "contains(CardName, 'Oy')", "Whether the text or list has it in it."),
    Help("starts_with", "starts_with(CardCode, 'V')", "Whether the text begins with it."),
)
