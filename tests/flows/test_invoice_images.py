"""Invoice images in memory: a death at any moment, a late answer, a file too large; tests/faults has the sockets."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.connectors.basware import Attachment
from syncengine.connectors.outcomes import OutcomeUnknown, Unavailable
from syncengine.flows.desk import Posting
from syncengine.flows.document import FindWindow
from syncengine.flows.invoice_images import LOOKS, InvoiceImageFlow
from tests.flows.desks import Crash, MemoryArchive, Row
from tests.flows.systems import Basware, Sap, World
from tests.flows.world import context
from tests.posting import builders
from tests.posting.builders import INVOICE_ID, document

CODES = ("a", "b", "c")
PDF = b"%PDF-1.4 invoice"


class SapWithFiles(Sap):
    """Attachments2: entries and their lines; `lose` loses the answer to the next upload."""

    def __init__(self) -> None:
        super().__init__(Attachments2=[])
        self.lose = self.late = False

    def upload(self, name: str, content: bytes, entry: int | None = None) -> int:
        self.tell("call upload")
        if self.late:
            raise OutcomeUnknown("no answer", code="timeout")
        rows = self.tables["Attachments2"]
        if entry is None:
            rows.append({"AbsoluteEntry": len(rows) + 1, "DocEntry": len(rows) + 1, "Attachments2_Lines": []})
            entry = len(rows)
        stem, _, extension = name.rpartition(".")
        rows[entry - 1]["Attachments2_Lines"].append({"FileName": stem, "FileExtension": extension})
        self.tell("uploaded")
        if self.lose:
            self.lose = False
            raise OutcomeUnknown("no answer", code="timeout")
        return entry

    def find(self, name: str, **how: Any) -> list[dict[str, Any]]:
        return list(reversed(super().find(name, **how)))

    @property
    def names(self) -> list[list[str]]:
        """The sender's part of each file's name, by entry."""
        return [
            [line["FileName"].split("_", 2)[2] for line in row["Attachments2_Lines"]]
            for row in self.tables["Attachments2"]
        ]


class BaswareWithFiles(Basware):
    """Hands out the same file for every code but those that are `gone` or too `large`."""

    gone: frozenset[str] = frozenset()
    large: frozenset[str] = frozenset()

    def attachment(self, invoice_id: str, code: str, most_bytes: int) -> Attachment | None:
        if code in self.large:
            raise Unavailable("The answer is larger than that.", code="answer_too_large")
        return None if code in self.gone else Attachment(PDF, "application/pdf")


def world(*codes: str, **settings: Any) -> World:
    listed = [{"externalCode": code, "filename": f"{code}.pdf", "isConfidential": False} for code in codes]
    source = document(processingStatus="Transferred", attachments=listed)
    made = World(InvoiceImageFlow(), source, context(company="1000", today=builders.TODAY, settings=settings))
    made.sap = made.engine.sap = SapWithFiles()
    made.basware = made.engine.basware = BaswareWithFiles(source)
    made.sap.tell = made.engine.at
    made.sap.tables["PurchaseInvoices"] = [{"DocEntry": 4711, "AttachmentEntry": None}]
    posting = Posting(INVOICE_ID, "PurchaseInvoices", 4711, 10457, INVOICE_ID, "V10012", "INV-1187", adopted=False)
    made.engine.links["PurchaseInvoices", 4711] = (INVOICE_ID, posting)
    return made


def taken(made: World) -> Row:
    (page,) = made.engine.flow.discover(MemoryArchive(made.engine), FindWindow())
    return made.engine.take(page.found[0])


def linked(made: World) -> Any:
    return made.sap.tables["PurchaseInvoices"][0]["AttachmentEntry"]


def run_to_rest(made: World, row: Row) -> None:
    for _ in range(20):
        made.engine.run(row)
        if row.status != "waiting":
            return
        made.engine.pass_time(700)
    raise AssertionError(f"no rest: {row.step} {row.errors}")


def test_every_file_is_a_line_of_one_entry_that_the_document_names():
    made = world(*CODES)
    row = made.engine.run(taken(made))
    assert row.status == "done"
    assert made.sap.names == [list(CODES)]
    assert linked(made) == 1


def _events() -> int:
    made = world(*CODES)
    made.engine.run(taken(made))
    return len(made.engine.events)


@pytest.mark.parametrize("moment", range(_events()))
def test_a_death_at_any_moment_loses_nothing_and_links_nothing_twice(moment: int):
    made = world(*CODES)
    row = taken(made)
    made.engine.crash_at = moment
    with pytest.raises(Crash):
        made.engine.run(row)
    run_to_rest(made, row)
    assert row.status == "done"
    assert made.sap.names == [list(CODES)]
    assert linked(made) == 1


def test_an_upload_whose_answer_was_lost_is_found_by_its_name():
    made = world("a", "b")
    made.sap.lose = True
    row = taken(made)
    run_to_rest(made, row)
    assert made.sap.names == [["a", "b"]]


def test_what_is_not_found_is_sent_again_only_when_it_can_no_longer_come():
    made = world("a")
    made.sap.late = True
    row = made.engine.run(taken(made))
    made.sap.late = False
    made.engine.run(row)
    assert (row.status, row.code, made.sap.names) == ("waiting", "looking", [])
    run_to_rest(made, row)
    assert made.sap.names == [["a"]]


def test_files_that_do_not_come_are_named_and_a_replay_takes_them():
    made = world(*CODES)
    made.basware.gone, made.basware.large = frozenset("a"), frozenset("b")
    row = made.engine.run(taken(made))
    assert (row.status, row.code) == ("failed", "files_left_out")
    assert "Basware does not hand it out" in row.message
    assert "it is larger than 20 MB" in row.message
    assert made.sap.names == [["c"]]
    made.basware.gone = made.basware.large = frozenset()
    assert made.engine.replay(row).status == "done"
    assert made.sap.names == [["c", "a", "b"]]


def test_attachments_that_basware_does_not_show_yet_are_looked_for_and_then_given_up():
    made = world()
    row = taken(made)
    for _ in LOOKS:
        assert made.engine.run(row).code == "no_attachments_yet"
        row.status = "pending"
    assert made.engine.run(row).status == "done"
    assert row.notes == ["Basware shows no attachments of this invoice"]


def test_nothing_is_linked_to_a_document_that_was_cancelled():
    made = world("a")
    row = taken(made)
    del made.engine.links["PurchaseInvoices", 4711]
    assert made.engine.run(row).status == "done"
    assert made.sap.names == []


def test_a_link_that_sap_does_not_keep_is_put_before_a_person(monkeypatch: pytest.MonkeyPatch):
    made = world("a")
    monkeypatch.setattr(made.sap, "update", lambda *_: None)
    row = made.engine.run(taken(made))
    assert (row.status, row.code) == ("failed", "link_not_kept")
