"""The catalogues of the pages' languages: `python -m tests.messages` extracts, merges and compiles them.

Pure Python, so that nobody needs GNU gettext. It finds what Django's own makemessages finds: templates go through
Django's `templatize`, and Python through the names that Django documents.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "portal" / "locale"
LANGUAGES = ("de", "fi")
KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "gettext_noop": None}
WIDTH = 120
BEGUN = datetime(2026, 11, 22, tzinfo=UTC)

Found = tuple[str, str | tuple[str, ...]]


def extracted() -> Catalog:
    """Every text that is marked, with the files that it is in."""
    catalog = Catalog(project="Ledgerbridge", fuzzy=False)
    for place, message in sorted(found(), key=lambda one: one[0]):
        catalog.add(message, locations=[(place, 0)])
    return catalog


def found() -> Iterator[Found]:
    templates = ROOT / "templates"
    for path in sorted([*templates.rglob("*.html"), *templates.rglob("*.txt")]):
        source = templatize(path.read_text(), origin=str(path))
        yield from _messages(path, "\n".join(line.lstrip() for line in source.splitlines()))
    for path in sorted((ROOT / "portal").rglob("*.py")):
        yield from _messages(path, path.read_text())


def _messages(path: Path, python: str) -> Iterator[Found]:
    for _, message, _, _ in extract("python", io.BytesIO(python.encode()), keywords=KEYWORDS):
        yield str(path.relative_to(ROOT)), message


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def mo_file(language: str) -> Path:
    return po_file(language).with_suffix(".mo")


def read(language: str) -> Catalog:
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language, domain="django")


def compiled(catalog: Catalog) -> bytes:
    """What is committed beside the catalogue, so that the pages need no compiler."""
    file = io.BytesIO()
    translated = copy.deepcopy(catalog)
    for message in translated:
        if not any(message.string or ""):
            message.string = ""  # else the forms of a plural that nobody translated would be shown as nothing
    write_mo(file, translated)
    return file.getvalue()


def written(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=WIDTH, sort_output=True, omit_header=False, include_lineno=False)
    return file.getvalue()


def _new(language: str) -> Catalog:
    return Catalog(
        locale=language,
        domain="django",
        header_comment="# The words of the pages. After a change: make messages",
        project="Ledgerbridge",
        version="1",
        creation_date=BEGUN,
        revision_date=BEGUN,
        last_translator="Ledgerbridge",
        msgid_bugs_address="Ledgerbridge",
        fuzzy=False,
    )


def main() -> None:
    """Bring the catalogues up to what the source says; a new text is left empty for whoever translates it."""
    template = extracted()
    for language in LANGUAGES:
        catalog = read(language) if po_file(language).exists() else _new(language)
        catalog.update(template, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
        catalog.obsolete.clear()
        po_file(language).parent.mkdir(parents=True, exist_ok=True)
        po_file(language).write_bytes(written(catalog))
        mo_file(language).write_bytes(compiled(catalog))


if __name__ == "__main__":
    main()
