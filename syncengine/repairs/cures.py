"""What a cause is in accounting words, and what a person does about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncengine.engine.causes import SEPARATOR, words_of_cause
from syncengine.engine.records import HELD_BY_PERSON
from syncengine.mapping.text import as_text
from syncengine.models import Record

PROBLEMS = "problems"
ROW = "DocumentLines[]."


@dataclass(frozen=True)
class Cure:
    """What mends it. `kind` names the words of the page; `table` and `value` are set where a translation mends it.

    `target` is the mapping's field whose rule must look the value up; without one the rule does so already.
    """

    kind: str
    label: str
    advice: str
    table: str = ""
    value: str = ""
    target: str = ""
    noun: str = "value"

    @property
    def translates(self) -> bool:
        return bool(self.table and self.value)


_CODES = {
    "g/l account": ("accounts", f"{ROW}AccountCode", "account"),
    "cost center": ("cost_centers", f"{ROW}CostingCode", "cost center"),
    "project": ("projects", f"{ROW}ProjectCode", "project"),
    "tax code": ("tax_codes", f"{ROW}VatGroup", "tax code"),
}
_NAMED = re.compile(r"(?P<noun>G/L account|cost center|project|tax code) (?P<code>\S+) \S", re.IGNORECASE)
_NO_ENTRY = re.compile(r"the lookup table (?P<table>\w+) has no entry for (?P<value>.+?)\.?$", re.DOTALL)
_CHARGES = re.compile(r"Add account (?P<value>\S+) to the lookup table charges")
_TOO_LONG = "..."

PERIOD_ADVICE = (
    "Open the period in SAP and check again, or snooze it: while it is snoozed, SAP is asked every ten minutes, "
    "and all of them go again by themselves once the period is open."
)
_ADVICE: Mapping[str, tuple[str, str]] = {
    "period": ("Wait for the period", PERIOD_ADVICE),
    "date": ("Look at the dates", "Correct the date in Basware, or allow unusual dates in the settings of the flow."),
    "vendor": ("Mend the vendor in SAP", "Thaw or complete the vendor in SAP, then check again."),
    "decide": ("Decide", "Open each record: it shows what looks alike, and what you can decide."),
    "basware": (
        "Correct it in Basware",
        "Basware was told. Correct it there and send it again, or put it aside.",
    ),
    "sap": ("Mend it in SAP", "Mend it in SAP, then check again."),
    "target": ("Read the refusal", "The other system refused it. Mend what it names, then check again."),
    "connection": ("Look at the connection", "Mend the connection, then check again: press Ping systems there."),
    "held": ("Release when ready", "Somebody has cancelled the next try. Replay it when it is to go on."),
    "dependency": ("Mend what it waits for", "It goes on by itself once the record that it waits for is done."),
    "waits": ("Nothing to do", "It goes on by itself. Cancel the next try if it must not."),
    "mapping": ("Change the mapping", "An admin changes the rule on the mapping page. Then check again."),
    "other": ("Look at a record", "Open one of the records: its page says what happened. Then check again."),
}
_BY_WORDS = (
    ("posting period", "period"),
    ("posting date", "date"),
    ("lookup table", "mapping"),
    ("cannot be evaluated", "mapping"),
    ("withholding tax", "vendor"),
    ("vendor", "vendor"),
    ("business partner", "vendor"),
    ("currency", "sap"),
    ("is required", "sap"),
    ("order", "basware"),
    ("coding row", "basware"),
    ("gross sum", "basware"),
    ("rejected in sap's approval", "basware"),
    ("has no account", "basware"),
    ("has no tax code", "basware"),
)
_BY_CODE = {
    "needs_decision": "decide",
    "import_failed": "target",
    "rejected": "target",
    "answer_failed": "target",
    "dependency_failed": "dependency",
    "dependency_pending": "waits",
    "credentials_changed": "connection",
    "mapping_gone": "mapping",
    HELD_BY_PERSON: "held",
}


def cure_of(cause: str, sample: Record | None, source: Mapping[str, Any] | None = None) -> Cure:
    """The cure of a cause; `sample` is one of its records while one has the trouble still, `source` its document."""
    code, _, named = cause.partition(SEPARATOR)
    hint = str(sample.problems[0].get("hint", "")) if sample and sample.problems else ""
    cure = _by_lookup(named, hint) or _by_branch(named, source or {}) or _by_code(named)
    if cure:
        return cure
    if sample and sample.decisions:
        return _advised("decide")
    if code == PROBLEMS:
        return _advised(_kind_by_words(named))
    return _advised(_BY_CODE.get(code, "connection" if code.startswith(("http_4", "login")) else "other"))


def _advised(kind: str) -> Cure:
    return Cure(kind, *_ADVICE[kind])


def _kind_by_words(named: str) -> str:
    words = named.lower()
    return next((kind for said, kind in _BY_WORDS if said in words), "other")


def _by_code(named: str) -> Cure | None:
    """A code that SAP does not take: another one is put in its place."""
    found = _NAMED.match(named)
    if found is None:
        return None
    table, target, noun = _CODES[found["noun"].lower()]
    article = "an" if noun[0] in "aeiou" else "a"
    advice = f"Choose {article} {noun} that SAP takes in its place, or mend it in SAP and check again."
    return Cure("code", f"Choose another {noun}", advice, table, found["code"], target, noun)


def _by_lookup(named: str, hint: str) -> Cure | None:
    """A lookup table that lacks a line."""
    found = _NO_ENTRY.search(named)
    if found and not named.endswith(_TOO_LONG):
        return _line_missing(found["table"], found["value"])
    charge = _CHARGES.search(hint)
    return _line_missing("charges", charge["value"]) if charge else None


def _by_branch(named: str, source: Mapping[str, Any]) -> Cure | None:
    """The line is for what the document says of its organization; it is known where the document is at hand."""
    if "lookup table branches names none" not in named:
        return None
    value = as_text(source.get("organizationElementCode")) or as_text(source.get("companyCode"))
    return _line_missing("branches", value) if value else _advised("mapping")


def _line_missing(table: str, value: str) -> Cure:
    words = table.replace("_", " ")
    advice = f"The table of {words} does not say what {value} is on the other side. Add that line."
    return Cure("lookup", "Add a translation", advice, table, value, noun=NOUNS.get(table, "value"))


NOUNS = {
    "accounts": "account",
    "cost_centers": "cost center",
    "projects": "project",
    "tax_codes": "tax code",
    "payment_terms": "payment term",
    "branches": "branch",
    "charges": "freight charge",
}

_WORDS = (
    (re.compile(r"^G/L account (\S+) is frozen in SAP", re.IGNORECASE), r"Account \1 is closed in SAP"),
    (re.compile(r"^G/L account ", re.IGNORECASE), "Account "),
    (re.compile(r"^[\w.\[\]]+: the lookup table (\w+) has no entry for (.+?)\.?$"), r"No translation for \2 in \1"),
)


def title_of(cause: str) -> str:
    """The cause as an accountant says it, without a full stop: numbers follow it."""
    title = words_of_cause(cause).strip()
    for pattern, words in _WORDS:
        title = pattern.sub(words, title)
    return title.rstrip(".")
