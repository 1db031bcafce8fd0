"""The invoice image: attachments of a transferred Basware document, linked to its document in SAP. Optional.

Contracts: Basware §14.9, SAP §8.7. One record per posted document, beside the invoice's own: whatever happens here
leaves the invoice as it is. One file at a time goes through memory, and each step looks at SAP before it writes: a
file is known by its name, which its code in Basware decides, and a document has one entry of attachments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from syncengine.connectors.basware import Attachment
from syncengine.connectors.outcomes import ConnectorError, Rejected, Unavailable
from syncengine.flows.desk import Continue, Desk, Finished, Found, NeedsPerson, Posting, Step, Wait, Work, note_failure
from syncengine.flows.document import Archive, DocumentFlow, FindWindow, FoundPage
from syncengine.posting.attachments import File, choose, content_problem, files_in, named_by_content

ENTRIES = "Attachments2"
LINES = ("AbsoluteEntry", "Attachments2_Lines")
LOOK_BACK_DAYS = 30
PAGE = 200
# Basware shows attachments some time after the transfer, if its tenant hands them out at all.
LOOKS = (60, 600, 3600, 4 * 3600, 24 * 3600)
MEGABYTE = 2**20
NEVER_SHOWN = "Basware shows no attachments of this invoice"
LEFT_OUT_HINT = "Fetch them by hand or change the limits and replay; else ignore this."


class InvoiceImageFlow(DocumentFlow):
    """One record per posted document: its files are fetched, uploaded and linked."""

    name = "invoice_images"
    title = "Invoice images"
    source = "basware"
    target = "sap_b1"
    depends_on = ("invoices",)
    position = 300
    optional = True

    def default_rules(self) -> list[dict[str, Any]]:
        return []

    def discover(self, archive: Archive, window: FindWindow) -> Iterator[FoundPage]:
        """Confirmed documents of the last days that have no record here yet."""
        yield FoundPage([_found(posting) for posting in archive.postings_without(self.name, LOOK_BACK_DAYS, PAGE)])

    def advance(self, work: Work, desk: Desk) -> Step:
        try:
            return _next(Image(work, desk))
        except Rejected as error:
            return _ask(code=error.code, message=error.message, hint=error.hint or "Mend it in SAP, then replay.")

    def settled(self, work: Work, desk: Desk, kind: str, confirmed: bool, message: str) -> Step:
        return Continue()  # neither of the writes is answered later


@dataclass(frozen=True)
class Image:
    """A record under work: what it remembers, and what SAP shows of its document now."""

    work: Work
    desk: Desk

    @cached_property
    def posting(self) -> Posting | None:
        """The document in SAP, unless it was cancelled since."""
        entry = self.work.source["docEntry"]
        return self.desk.postings_by_entry(self.work.source["entitySet"], [entry]).get(entry)

    @property
    def invoice_id(self) -> str:
        return str(self.work.source["invoiceId"])

    @property
    def files(self) -> list[File]:
        return [File(**file) for file in self.work.memo["files"]]

    @property
    def left_out(self) -> dict[str, str]:
        """Why, by mark."""
        return dict(self.work.memo.get("left_out") or {})


def _found(posting: Posting) -> Found:
    return Found(
        key=f"{posting.invoice_id}/{posting.doc_entry}",
        title=f"Attachments of {posting.num_at_card}, {posting.doc_num} in SAP",
        source={
            "invoiceId": posting.invoice_id,
            "entitySet": posting.entity_set,
            "docEntry": posting.doc_entry,
            "docNum": posting.doc_num,
        },
        reference=posting.num_at_card,
        party=posting.card_code,
        search=str(posting.doc_num),
    )


def _next(image: Image) -> Step:
    if image.posting is None:
        return Finished(notes=("the document was cancelled in SAP: nothing is linked to it",))
    if "files" not in image.work.memo or image.work.memo.get("replay"):
        return _choose(image)
    document = image.desk.sap.by_key(image.posting.entity_set, image.posting.doc_entry, ("DocEntry", "AttachmentEntry"))
    if document is None:
        return _ask(
            code="linked_document_gone",
            message="SAP does not know the document any more.",
            hint="Look it up in SAP, then replay.",
        )
    return _link(image, image.posting, document.get("AttachmentEntry"))


def _choose(image: Image) -> Step:
    """The list of Basware, as it is now."""
    document = image.desk.basware.document(image.invoice_id) or {}
    settings = image.desk.ctx.settings
    found = choose(
        image.invoice_id,
        document.get("attachments"),
        confidential=settings.attachment_confidential,
        most=settings.attachment_max_files,
    )
    if not (found.files or found.notes or found.left_out):
        return _none_shown(image)
    files = [{"code": file.code, "name": file.name} for file in found.files]
    left_out = {f"of the list, {number}": why for number, why in enumerate(found.left_out)}
    return Continue(memo={"files": files, "left_out": left_out, "link_sent": None, "replay": None}, notes=found.notes)


def _none_shown(image: Image) -> Step:
    looks = int(image.work.memo.get("looks") or 0)
    if looks < len(LOOKS):
        hint = "If this stays, ask Basware whether OpenApi.SendInvoiceAttachments is on."
        return Wait(
            seconds=LOOKS[looks],
            code="no_attachments_yet",
            message=f"{NEVER_SHOWN} yet.",
            hint=hint,
            memo={"looks": looks + 1},
        )
    return Finished(notes=(NEVER_SHOWN,), memo={"looks": None, "replay": None})


def _link(image: Image, posting: Posting, linked: int | None) -> Step:
    """The one write that is due, after a look at what SAP has already."""
    entry = linked or image.work.memo.get("entry")
    there = files_in(image.desk.sap.by_key(ENTRIES, entry, LINES)) if entry else set()
    missing = [file for file in image.files if file.mark not in there and file.mark not in image.left_out]
    if entry is None and missing and (step := _before_a_new_entry(image)):
        return step
    if missing:
        return _upload(image, missing[0], entry)
    if entry and not linked:
        return _put_on_document(image, posting, entry)
    return _end(image, len(there))


def _before_a_new_entry(image: Image) -> Step | None:
    """The newest entry is noted before the first upload: what came after it may be ours, its answer lost."""
    before = image.work.memo.get("before")
    if before is None:
        newest = image.desk.sap.find(ENTRIES, where="", select=("AbsoluteEntry",), top=1, order_by="AbsoluteEntry desc")
        return Continue(memo={"before": newest[0]["AbsoluteEntry"] if newest else 0})
    if not image.desk.attempts("attach"):
        return None
    ours = {file.mark for file in image.files}
    for rows in image.desk.sap.pages(ENTRIES, key="AbsoluteEntry", select=LINES, after=before):
        found = next((row["AbsoluteEntry"] for row in rows if files_in(row) & ours), None)
        if found:
            return Continue(memo={"entry": found})
    return None


def _upload(image: Image, file: File, entry: int | None) -> Step:
    if (seconds := _in_doubt(image, file)) > 0:
        message = f"SAP did not say whether it took {file.name}."
        hint = "It is looked for before it is sent again."
        return Wait(seconds=min(seconds, 60), code="looking", message=message, hint=hint)
    fetched, why_not = _fetch(image, file)
    if fetched is None:
        return Continue(memo={"left_out": {**image.left_out, file.mark: f"{file.name}: {why_not}"}})
    name = named_by_content(file.name, fetched.content)
    payload = {"name": name, "size": len(fetched.content), "type": fetched.content_type, "entry": entry}
    intent = image.desk.announce("attach", file.mark[:100], payload)
    try:
        made = image.desk.sap.upload(name, fetched.content, entry)
    except ConnectorError as error:
        note_failure(intent, error)
        raise
    intent.done({"entry": made})
    return Continue(memo={"entry": made} if made else {})


def _in_doubt(image: Image, file: File) -> float:
    """Seconds for which a lost upload may still come to be; SAP knows no key that would tell a repeat."""
    mine = [past for past in image.desk.attempts("attach") if past.key == file.mark[:100]]
    if not mine or mine[-1].state not in ("unknown", "sending"):
        return 0
    age = (image.desk.now - mine[-1].started_at).total_seconds()
    return image.desk.ctx.delays.repost_after - age


def _fetch(image: Image, file: File) -> tuple[Attachment | None, str]:
    """The file, or why it is left out."""
    most = image.desk.ctx.settings.attachment_max_mb
    try:
        fetched = image.desk.basware.attachment(image.invoice_id, file.code, most * MEGABYTE)
    except Unavailable as error:
        if error.code != "answer_too_large":
            raise
        return None, f"it is larger than {most} MB"
    if fetched is None:
        return None, "Basware does not hand it out"
    why_not = content_problem(named_by_content(file.name, fetched.content), fetched.content, fetched.content_type)
    return (None, why_not) if why_not else (fetched, "")


def _put_on_document(image: Image, posting: Posting, entry: int) -> Step:
    if image.work.memo.get("link_sent"):
        return _ask(
            code="link_not_kept",
            message="SAP took the link to the files and does not show it.",
            hint="Look at it in SAP.",
        )
    body: Mapping[str, Any] = {"AttachmentEntry": entry}
    intent = image.desk.announce("link_attachments", f"{posting.entity_set}/{posting.doc_entry}", body)
    try:
        image.desk.sap.update(posting.entity_set, posting.doc_entry, body)
    except ConnectorError as error:
        note_failure(intent, error)
        raise
    intent.done()
    return Continue(memo={"link_sent": True}, target_keys={"doc_num": posting.doc_num, "attachment_entry": entry})


def _end(image: Image, linked: int) -> Step:
    why = list(image.left_out.values())
    if why:
        message = f"{linked} of {linked + len(why)} files are linked; left out: {'; '.join(why)}."
        return _ask(code="files_left_out", message=message, hint=LEFT_OUT_HINT)
    return Finished(stage="confirmed", notes=(f"{linked} files are linked to the document in SAP",))


def _ask(*, code: str, message: str, hint: str) -> NeedsPerson:
    return NeedsPerson(code=code, message=message, hint=hint)
