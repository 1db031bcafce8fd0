"""The sentences that pages translate are those that Python says, and each is found again in what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.safestring import mark_safe

from portal.sentences import SENTENCES
from portal.told import told
from syncengine.models import FoundBy
from tests import messages

SPEAKING = ("portal", "syncengine", "tenants")
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
GAP = "\0"
LABELS = {word for label in FoundBy.labels for word in label.split()}  # the models say these


def said_in(path: Path) -> Iterator[str]:
    """Each text of a file, with a gap for what an f-string or a format fills in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else GAP for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id  # the label of a form's field where it has no other


@cache
def said_by_file() -> list[tuple[frozenset[str], frozenset[str]]]:
    """Of each file its texts, and all the words in them; what is a name for programs is also said as words."""
    found = []
    for path in (path for root in SPEAKING for path in (messages.ROOT / root).rglob("*.py")):
        if "sentences" not in path.parts:
            texts = {as_said(text) for text in said_in(path)}
            texts |= {text.replace("_", " ") for text in texts if re.fullmatch(r"[a-z_.]+", text)}
            texts |= {text.rpartition(".")[2] for text in texts}
            found.append((frozenset(texts), frozenset(word for text in texts for word in re.findall(r"[a-z]+", text))))
    return found


def as_said(text: str) -> str:
    return PLACE.sub(GAP, text).strip().rstrip(".").lower()


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_is_still_said_somewhere(sentence: str) -> None:
    """Word for word, or, where a file puts it together, word by word."""
    plain = as_said(sentence)
    words = set(re.findall(r"[a-z]+", plain)) - LABELS
    assert any(plain in texts or words <= known for texts, known in said_by_file())


def test_no_sentence_stands_there_twice() -> None:
    assert len(set(SENTENCES)) == len(SENTENCES)


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_is_found_with_its_places_filled(sentence: str, language: str) -> None:
    said = re.sub(r"%\((\w+)\)s", r"~\1~", sentence)
    with translation.override(language):
        shown = told(said)
        expected = translation.gettext(sentence)
    for name in re.findall(r"%\((\w+)\)s", expected):
        expected = expected.replace(f"%({name})s", f"~{name}~")
    assert shown.lower() == expected.lower()


@pytest.fixture
def _german() -> Iterator[None]:
    with translation.override("de"):
        yield


@pytest.mark.usefixtures("_german")
class TestTelling:
    def test_a_whole_problem_names_its_code_and_row(self) -> None:
        assert (
            told("G/L account 4010 of coding row 2 is frozen in SAP.")
            == "Sachkonto 4010 der Kontierungszeile 2 ist in SAP gesperrt."
        )

    def test_sentence_after_sentence(self) -> None:
        assert told("Mend it in SAP, then press replay. Check both clocks.") == (
            "Beheben Sie es in SAP, dann wiederholen. Prüfen Sie beide Uhren."
        )

    def test_what_is_not_ours_stays_as_it_is(self) -> None:
        said = "Internal error (-5002): the item is not known [OPCH.ItemCode]"
        assert told(said) == said
        assert told("A tool of mine hears nothing more.") == "A tool of mine hears nothing more."

    def test_names_are_not_translated_within_a_sentence(self) -> None:
        assert told("The view Open is gone.") == "Die Ansicht Open ist gelöscht."

    def test_several_words_of_ours_are_told_one_by_one(self) -> None:
        assert told("SAP posted 17 differently: net 5.00 in SAP, 4.00 on the invoice; a word of SAP's") == (
            "SAP hat 17 anders gebucht: netto: 5.00 in SAP, 4.00 in der Rechnung; a word of SAP's"
        )

    def test_a_per_cent_sign_is_no_place(self) -> None:
        assert told("Tax code V1 of coding row 2 has 20 % in SAP, the row says 19 %.") == (
            "Steuerkennzeichen V1 der Kontierungszeile 2 hat in SAP 20 %, die Zeile sagt 19 %."
        )

    def test_days_are_written_as_the_language_does(self) -> None:
        assert told("The posting period of 2026-05-31 is locked in SAP.") == (
            "Die Buchungsperiode von 31.05.2026 ist in SAP gesperrt."
        )
        assert "2026-06-31" in told("The posting period of 2026-06-31 is locked in SAP.")

    def test_words_are(self) -> None:
        assert told("Choose another cost center") == "Anderen Wert wählen: Kostenstelle"

    def test_markup_of_libraries_stays_markup(self) -> None:
        markup = mark_safe("<ul><li>Open</li></ul>")  # a constant
        assert told(markup) is markup

    @pytest.mark.parametrize("nothing", ["", None])
    def test_nothing_is_nothing(self, nothing: str | None) -> None:
        assert told(nothing) == ""


def test_english_is_said_as_it_is() -> None:
    assert told("Held by anna@example.com.") == "Held by anna@example.com."
