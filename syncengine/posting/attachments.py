"""Which of a document's attachments are taken to SAP, under what name, and whether a file is what it says.

Contracts: Basware §14.9 (what an attachment says of itself), SAP §8.7 (one folder for the company: equal names
overwrite; ASCII letters, digits, `-_`, at most 100 characters, an extension). Names come from strangers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncengine.mapping.text import as_text

MOST_NAME = 100
_STEM_AT_LEAST = 8  # of the sender's own name, whatever the invoice id takes
_OTHERS = re.compile(r"[^A-Za-z0-9_-]+")
_OFFICE, _OLD_OFFICE = (b"PK\x03\x04",), (b"\xd0\xcf\x11\xe0",)
_TIFF, _JPEG = (b"II*\x00", b"MM\x00*"), (b"\xff\xd8\xff",)
KINDS: Mapping[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "tif": _TIFF,
    "tiff": _TIFF,
    "gif": (b"GIF87a", b"GIF89a"),
    "docx": _OFFICE,
    "xlsx": _OFFICE,
    "msg": _OLD_OFFICE,
    "xml": (),
    "txt": (),
    "csv": (),
    "eml": (),
}
"""What may be linked, and how such a file begins; plain text has no beginning of its own. Nothing that runs."""


@dataclass(frozen=True)
class File:
    """One attachment to be linked. `name` is what it is called in SAP."""

    code: str
    name: str

    @property
    def mark(self) -> str:
        """How the name begins, whatever the file was called: by this it is found again."""
        return mark_in(self.name)


@dataclass(frozen=True)
class Choice:
    """What of a document's attachments is linked, and why the others are not."""

    files: Sequence[File]
    notes: Sequence[str]
    left_out: Sequence[str]


def choose(invoice_id: str, attachments: Any, *, confidential: bool, most: int) -> Choice:
    """Confidential ones are left alone unless wanted; of too many the first ones are taken. Broken rows are named."""
    rows = [row for row in attachments or () if isinstance(row, Mapping)]
    named = [row for row in rows if as_text(row.get("externalCode")).strip()]
    open_ones = [row for row in named if confidential or row.get("isConfidential") is not True]
    hidden = len(named) - len(open_ones)
    files = {file.mark: file for file in (_file(invoice_id, row) for row in open_ones)}
    left_out = [f"{len(rows) - len(named)} without a code"] if len(named) < len(rows) else []
    if len(files) > most:
        left_out.append(f"{len(files) - most} beyond the first {most}")
    notes = [f"{hidden} confidential in Basware, left there"] if hidden else []
    return Choice(list(files.values())[:most], notes, left_out)


def _file(invoice_id: str, row: Mapping[str, Any]) -> File:
    code = as_text(row.get("externalCode"))
    return File(code, safe_name(invoice_id, code, as_text(row.get("filename"))))


def safe_name(invoice_id: str, code: str, filename: str) -> str:
    """The invoice, a print of the attachment's own code, then what is harmless of the sender's name.

    Path parts, control characters, reserved names, trailing dots: nothing of them is left, since the name begins
    with ours and holds letters, digits, `-`, `_` and one dot only.
    """
    last = re.split(r"[/\\]", filename)[-1]
    stem, dot, extension = last.rpartition(".")
    ending = _OTHERS.sub("", extension).lower()[:8] if dot else ""
    ending = ending if ending in KINDS else "bin"
    printed = hashlib.sha256(f"{invoice_id}\0{code}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    lead = f"{_OTHERS.sub('-', invoice_id).replace('_', '-')[: MOST_NAME - _STEM_AT_LEAST - 24]}_{printed}"
    room = MOST_NAME - len(lead) - len(ending) - 2
    plain = _OTHERS.sub("-", stem if dot else last).strip("-_")[:room] or "file"
    return f"{lead}_{plain}.{ending}"


def named_by_content(name: str, content: bytes) -> str:
    """A file whose name does not say what it is gets the ending of what it begins like."""
    stem, _, extension = name.rpartition(".")
    if extension in KINDS:
        return name
    fits = (kind for kind in ("pdf", "png", "jpg", "tif", "gif") if content.startswith(KINDS[kind]))
    return f"{stem}.{next(fits, extension)}"


def mark_in(name: str) -> str:
    """The part of a safe name that does not depend on what the file was called, in small letters."""
    found = re.match(r"(?i).*?_[0-9a-f]{12}_", name)
    return found[0].lower() if found else ""


def files_in(entry: Mapping[str, Any] | None) -> set[str]:
    """The marks of our files among the lines of an Attachments2 entry."""
    lines = (entry or {}).get("Attachments2_Lines") or ()
    return {mark for line in lines if (mark := mark_in(as_text(line.get("FileName"))))}


def content_problem(name: str, content: bytes, content_type: str) -> str:
    """Why a file is not what its name says, or may not be linked at all; "" when nothing is wrong."""
    extension = name.rpartition(".")[2]
    if extension not in KINDS:
        return "its kind is not one that may be linked"
    if not content:
        return "it is empty"
    begins = KINDS[extension]
    if begins and not content[:1024].lstrip().startswith(begins):
        return f"it is no {extension.upper()} file"
    if not begins and b"\0" in content[:4096]:
        return "it is no text"
    said = content_type.partition(";")[0].strip().lower()
    return "the storage handed out a web page" if said in {"text/html", "application/xhtml+xml"} else ""
