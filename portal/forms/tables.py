"""Lookup tables as text: what people paste from a spreadsheet, and what the grid writes back.

A line is `from = to`, or two columns separated by a tab, a semicolon or a comma; quotes as in CSV hold what would
separate. Nothing is executed or kept of it but texts; size and number of rows are bounded.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping

from django.core.exceptions import ValidationError

SEPARATORS = "=\t;,"
HEADINGS = ({"from", "to"}, {"from", "into"}, {"source", "target"})
MOST_ROWS = 20_000

_LINE_END = re.compile(r"\r\n|\n|\r")


def table_as_text(table: Mapping[str, str]) -> str:
    """A line for each entry, to be read back as the same table."""
    return "\n".join(_line(before, after) for before, after in table.items())


def _line(before: str, after: str) -> str:
    plain = not any(character in before for character in f'{SEPARATORS}"') and not after.startswith('"')
    written = f"{before} = {after}"
    if plain and before == before.strip() and after == after.strip() and not _is_heading(written):
        return written
    quoted = (text.replace('"', '""') for text in (before, after))
    return ",".join(f'"{text}"' for text in quoted)


def text_as_table(text: str) -> dict[str, str]:
    """The table of a text; ValidationError names the first line that is none."""
    table: dict[str, str] = {}
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip() or (number == 1 and _is_heading(line)):
            continue
        before, after = _columns(line, number)
        if before in table:
            raise ValidationError(f"Line {number} gives {before[:80]} a second time.")
        if len(table) >= MOST_ROWS:
            raise ValidationError(f"A table may have {MOST_ROWS:,} rows at most.")
        table[before] = after
    return table


def _is_heading(line: str) -> bool:
    return not line.lstrip().startswith('"') and {cell.strip().casefold() for cell in _cells(line)} in HEADINGS


def _columns(line: str, number: int) -> tuple[str, str]:
    cells = [*_cells(line)]
    while len(cells) > 2 and not cells[-1].strip():
        cells.pop()  # a spreadsheet pads rows with empty cells
    if len(cells) < 2 or not cells[0].strip():
        raise ValidationError(f"Line {number} has no “=” and no second column: write it as from = to.")
    if len(cells) > 2:
        raise ValidationError(f"Line {number} has {len(cells)} columns; a table has two: from and to.")
    quoted = line.lstrip().startswith('"')
    return (cells[0], cells[1]) if quoted else (cells[0].strip(), cells[1].strip())


def _cells(line: str) -> Iterator[str]:
    """The cells of a line by the separator that comes first."""
    stripped = line.strip(" ")
    if not stripped.startswith('"'):
        separator = min((mark for mark in SEPARATORS if mark in stripped), key=stripped.index, default="")
        if separator == "=":
            yield from stripped.split(separator, 1)
            return
    else:
        end = _closing_quote(stripped) + 1
        rest = stripped[end:].lstrip(" ")
        stripped = stripped[:end] + rest
        separator = rest[:1] if rest[:1] in SEPARATORS else ""
    if not separator:
        yield stripped
        return
    try:
        yield from next(csv.reader([stripped], delimiter=separator, skipinitialspace=True, strict=True))
    except (csv.Error, StopIteration):
        raise ValidationError(f"A quote is not closed: {stripped[:80]}") from None


def _closing_quote(line: str) -> int:
    """Where the quote that the line begins with ends; the last character when it does not."""
    position = 1
    while (found := line.find('"', position)) != -1:
        if line[found + 1 : found + 2] != '"':
            return found
        position = found + 2
    return len(line) - 1
