"""The common rules in words that need no JMESPath: a field, a date, a value through a table, always the same.

`Simple` is a rule's source taken apart where it has one of these forms; everything else is an expression.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncengine.connectors import jsonio


class Form(StrEnum):
    """The forms that a source can have."""

    FIELD = "field"
    DATE = "date"
    KNOWN = "known"
    CONSTANT = "constant"
    EXPRESSION = "expression"


_NAME = r'(?:[A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\]|\\.)*")'
_PATH = rf"{_NAME}(?:\[\d+\])?(?:\.{_NAME}(?:\[\d+\])?)*"
_FORMS = (
    (Form.FIELD, re.compile(rf"(?P<path>{_PATH})")),
    (Form.DATE, re.compile(rf"date\((?P<path>{_PATH})\)")),
    (Form.KNOWN, re.compile(rf"lookup\('(?P<table>[A-Za-z_][A-Za-z0-9_]*)', (?P<path>{_PATH}), (?P=path)\)")),
)
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_LITERAL = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # JMESPath's plain names are ASCII


@dataclass(frozen=True)
class Simple:
    """A source as a clerk chooses it.

    form   which of the forms it has
    path   the field, for FIELD, DATE and KNOWN
    table  the table of KNOWN: its translation where it has one, else the value as it is
    value  the constant
    """

    form: Form
    path: str = ""
    table: str = ""
    value: Any = None

    def source(self) -> str:
        """The same as an expression; "" for EXPRESSION, which is one already."""
        if self.form == Form.CONSTANT:
            return literal(self.value)
        if not self.path:
            return ""
        if self.form == Form.KNOWN:
            return f"lookup('{self.table}', {self.path}, {self.path})"
        return {Form.FIELD: self.path, Form.DATE: f"date({self.path})"}.get(self.form, "")


def taken_apart(source: str) -> Simple:
    """The form that a source has."""
    text = source.strip()
    for form, pattern in _FORMS:
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            return Simple(form, parts["path"], parts.get("table") or "")
    if found := _TEXT.fullmatch(text):
        return Simple(Form.CONSTANT, value=found[1].replace("\\'", "'"))
    if found := _LITERAL.fullmatch(text):
        return _constant(found[1].replace("\\`", "`"))
    return Simple(Form.EXPRESSION)


def _constant(text: str) -> Simple:
    try:
        return Simple(Form.CONSTANT, value=jsonio.loads(text))
    except ValueError:  # JMESPath itself may be more patient; it stays what it is
        return Simple(Form.EXPRESSION)


def literal(value: Any) -> str:
    """A constant as JMESPath writes it: 'text', or `JSON` for what is no plain text."""
    if isinstance(value, str) and "\\" not in value:
        return "'" + value.replace("'", "\\'") + "'"
    return "`" + jsonio.dumps(value).replace("`", "\\`") + "`"


def path_of(*names: str) -> str:
    """A path of these names, those in quotes that are no plain words."""
    return ".".join(name if _PLAIN.fullmatch(name) else json.dumps(name) for name in names)
