"""Attachments of posted invoices through both sandboxes: linked once, none lost, and never at the invoice's cost."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.engine import replay
from syncengine.flows import invoice_images
from syncengine.models import Record
from tests.engine.world import PERSON
from tests.faults.world import FaultWorld, invoice

FLOW = "invoice_images"
UPLOAD, LINK = r"/Attachments2(\(\d+\))?$", r"/Purchase\w+\(\d+\)$"
LOST = {
    "cut before the work": {"kind": "drop_before"},
    "cut after the work": {"kind": "drop_after"},
    "502 after the work": {"kind": "status", "status": 502, "after": True},
}


def attached(code: str, filename: str = "", **more: Any) -> dict[str, Any]:
    name = filename or f"{code}.pdf"
    return {"externalCode": code, "category": "ATTACHMENT", "filename": name, "isConfidential": False, **more}


def posted(town: FaultWorld, *attachments: dict[str, Any]) -> FaultWorld:
    """One invoice posted and confirmed, its images wanted."""
    town.integration.settings = {"optional_flows": [FLOW]}
    town.integration.save()
    town.issue(invoice(attachments=list(attachments)) if attachments else invoice())
    town.go()
    town.assert_posted_once()
    town.quiet()
    return town


def image(town: FaultWorld) -> Record:
    return Record.objects.get(integration=town.integration, flow=FLOW)


def linked(town: FaultWorld) -> list[str]:
    """The names of the files that the document in SAP shows, in their order."""
    entry = town.in_sap()[0].get("AttachmentEntry")
    entries = {row["AbsoluteEntry"]: row for row in town.sap("Attachments2")}
    return [f"{line['FileName']}.{line['FileExtension']}" for line in entries[entry]["Attachments2_Lines"]]


def endings(town: FaultWorld) -> list[str]:
    """What is the sender's of each name."""
    return [name.split("_", 2)[2] for name in linked(town)]


def test_the_image_of_a_posted_invoice_is_linked_to_its_document(town: FaultWorld):
    posted(town).go(FLOW)
    record = image(town)
    assert (record.status, record.stage) == ("done", "confirmed")
    assert len(linked(town)) == 1
    assert linked(town)[0].startswith(f"{town.issued[0]}_")
    assert record.target_keys["attachment_entry"] == town.in_sap()[0]["AttachmentEntry"]


def test_nothing_of_it_happens_unless_it_is_switched_on(town: FaultWorld):
    town.issue(invoice())
    town.go("all")
    assert not Record.objects.filter(flow=FLOW).exists()
    assert not [call for call in town.calls("basware") if "/attachments/" in call["path"]]
    assert town.sap("Attachments2") == []


def test_a_second_run_finds_nothing_to_do(town: FaultWorld):
    posted(town).go(FLOW)
    town.quiet()
    run = town.go(FLOW)
    assert (run.status, run.read) == ("succeeded", 0)
    assert not town.calls("sap_b1", "POST", "Attachments2")


def test_several_files_become_lines_of_one_entry_and_confidential_ones_stay_in_basware(town: FaultWorld):
    secret = attached("c", isConfidential=True)
    posted(town, attached("a", "..\\..\\CON.pdf"), attached("b", "über die Maßen.pdf"), secret).go(FLOW)
    assert endings(town) == ["CON.pdf", "ber-die-Ma-en.pdf"]
    assert len(town.sap("Attachments2")) == 1
    assert "1 confidential in Basware, left there" in image(town).notes


def test_what_may_not_be_linked_is_named_and_the_rest_is_linked(town: FaultWorld):
    posted(town, attached("a"), attached("b", "setup.exe.scr"), attached("c", "photo.png")).go(FLOW)
    record = image(town)
    assert (record.status, record.error_code) == ("failed", "files_left_out")
    assert "it is no PNG file" in record.error_message
    assert endings(town)[0] == "a.pdf"
    town.assert_posted_once()


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize(("method", "path"), [("POST", UPLOAD), ("PATCH", UPLOAD), ("PATCH", LINK)])
def test_a_lost_answer_links_nothing_twice(town: FaultWorld, how: str, method: str, path: str):
    posted(town, attached("a"), attached("b"))
    fault = dict(LOST[how])
    town.fault("sap_b1", fault.pop("kind"), method=method, path=path, **fault)
    town.go(FLOW)
    assert image(town).status == "done"
    assert endings(town) == ["a.pdf", "b.pdf"]
    town.assert_posted_once()


@pytest.mark.parametrize("how", LOST)
def test_a_file_that_does_not_come_is_fetched_again(town: FaultWorld, how: str):
    posted(town, attached("a"))
    fault = dict(LOST[how])
    town.fault("basware", fault.pop("kind"), method="GET", path="/attachments/", **fault)
    town.go(FLOW)
    assert endings(town) == ["a.pdf"]


def test_a_file_beyond_the_limit_is_left_out_while_it_still_comes(town: FaultWorld, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(invoice_images, "MEGABYTE", 2)
    posted(town, attached("a")).go(FLOW)
    assert "it is larger than 20 MB" in image(town).error_message
    assert town.sap("Attachments2") == []
    town.assert_posted_once()


def test_an_attachments_folder_that_is_missing_leaves_the_invoice_alone_and_a_replay_mends_it(town: FaultWorld):
    posted(town)
    folder = town.sandboxes.sap.company.settings["attachments_folder"]
    town.sandboxes.sap.company.settings["attachments_folder"] = ""
    town.go(FLOW)
    record = image(town)
    assert record.status == "failed"
    assert "folder" in record.error_message
    town.assert_posted_once()
    town.sandboxes.sap.company.settings["attachments_folder"] = folder
    replay.replay(record, PERSON)
    town.settle()
    assert image(town).status == "done"
    assert len(linked(town)) == 1


def test_a_document_that_has_files_already_keeps_them(town: FaultWorld):
    posted(town, attached("a"))
    document = town.in_sap()[0]
    theirs = {"AbsoluteEntry": 77, "Attachments2_Lines": [{"LineNum": 1, "FileName": "theirs", "FileExtension": "pdf"}]}
    town.sandboxes.sap.company.collection("Attachments2").put(77, theirs)
    town.change("PurchaseInvoices", document["DocEntry"], AttachmentEntry=77)
    town.go(FLOW)
    assert [name.split("_")[-1] for name in linked(town)] == ["theirs.pdf", "a.pdf"]


def test_a_dry_run_says_what_would_be_uploaded_and_writes_nothing(town: FaultWorld):
    posted(town).go(FLOW, "dry_run")
    assert town.sap("Attachments2") == []
    assert not Record.objects.filter(flow=FLOW).exists()
