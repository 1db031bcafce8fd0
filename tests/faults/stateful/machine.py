"""The machine: what people, Basware, SAP, the network, the clock and death may do next, in any order."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncengine.engine import replay
from syncengine.engine.pauses import resume
from syncengine.engine.runs import ActionRefused
from syncengine.models import Record
from syncengine.sandbox.launch import Sandboxes
from tests.engine.world import PERSON, Document
from tests.faults.stateful.model import Known, check_at_rest, check_now
from tests.faults.stateful.town import LivingTown, living_town
from tests.faults.stateful.workers import die_at
from tests.faults.test_crash_points import POINTS
from tests.faults.world import invoice

MOST_INVOICES = 4
KINDS = (("service", 0), ("service", 1), ("foreign_service", 0), ("credit", 0), ("unknown_codes", 0))
POSTS = r"/Purchase(Invoices|CreditNotes)$"
PLACES: dict[str, tuple[str, str, str]] = {
    "acknowledge": ("basware", "POST", "/acknowledge$"),
    "answer": ("basware", "POST", "/transferResponses$"),
    "payment": ("basware", "POST", "/paymentResponses$"),
    "verdict": ("basware", "GET", "/requestStatus"),
    "read in Basware": ("basware", "GET", ""),
    "token": ("basware", "POST", "/tokens$"),
    "post": ("sap_b1", "POST", POSTS),
    "read in SAP": ("sap_b1", "GET", ""),
    "log-in": ("sap_b1", "POST", "/Login$"),
}
FAULTS: dict[str, tuple[str, Document]] = {
    "cut after": ("drop_after", {}),
    "cut before": ("drop_before", {}),
    "time-out": ("latency", {"seconds": 0.8}),
    "500": ("status", {"status": 500}),
    "500 after": ("status", {"status": 500, "after": True}),
    "502": ("status", {"status": 502}),
    "429": ("status", {"status": 429, "retry_after": 7}),
    "401": ("status", {"status": 401}),
    "truncated": ("truncated", {}),
    "bad JSON": ("bad_json", {}),
}
JUMPS = {"the next thing due": None, "a lease": 31.0, "eleven minutes": 660.0, "an hour": 3700.0, "a day": 90_000.0}
FIGURES = ("codingRows", "netSum", "taxSum1", "taxSum2", "grossSum", "netSumCompany", "taxSum1Company")
CORRECTIONS = ("none", "the text", "the number", "the rows")

places = st.sampled_from(sorted(PLACES))
some = st.integers(0, 99)


class LifeOfInvoices(RuleBasedStateMachine):
    """Each example is a town of its own; `known` is the model."""

    invoices = Bundle("invoices")

    def __init__(self, sandboxes: Sandboxes, happened: Counter[str]) -> None:
        super().__init__()
        self.happened = happened
        self._open = ExitStack()
        self.town: LivingTown = self._open.enter_context(living_town(sandboxes))
        self.known: dict[str, Known] = {}
        self.passwords = 0

    # Basware

    @initialize(target=invoices, kind=st.sampled_from(KINDS))
    def the_first_is_approved(self, kind: tuple[str, int]) -> int:
        return self._approve(kind)

    @precondition(lambda self: len(self.known) < MOST_INVOICES)
    @rule(target=invoices, kind=st.sampled_from(KINDS), early=st.booleans(), told=st.booleans())
    def an_invoice_is_approved(self, kind: tuple[str, int], early: bool, told: bool) -> int:
        self.town.sandboxes.basware.switches.change({"readable_after": 5.0 if early else 0.0})
        place = self._approve(kind)
        if told:
            self.town.notify(self.town.issued[place])
        return place

    def _approve(self, kind: tuple[str, int]) -> int:
        document = invoice(*kind)
        if document["invoiceId"] in self.known:  # the same bill once more, under another id and number
            again = len(self.known)
            document |= {"invoiceId": f"{again}" * 32, "invoiceNumber": f"{document['invoiceNumber']}-{again}"}
        self.known[document["invoiceId"]] = Known({document["grossSum"]})
        return self.town.approve(document)

    @rule(place=invoices)
    def basware_notifies(self, place: int) -> None:
        self.town.notify(self.town.issued[place])

    @rule(document_id=st.sampled_from(["0" * 32, "not an id"]))
    def basware_notifies_of_nothing(self, document_id: str) -> None:
        self.town.notify(document_id)

    @precondition(lambda self: self.town.notes)
    @rule(which=some)
    def an_old_notification_comes_again(self, which: int) -> None:
        assert self.town.deliver(self.town.notes[which % len(self.town.notes)]) == 200

    @precondition(lambda self: self.town.notes)
    @rule(which=some, form=st.sampled_from(["bad", "none"]))
    def a_forged_notification_comes(self, which: int, form: str) -> None:
        assert self.town.deliver(self.town.notes[which % len(self.town.notes)], form) == 401

    @rule(place=invoices, what=st.sampled_from(CORRECTIONS), told=st.booleans())
    def a_failed_transfer_is_corrected_and_sent_again(self, place: int, what: str, told: bool) -> None:
        document = self.town.at_basware(place)
        if document["processingStatus"] != "TransferFailed":
            return
        changes = _correction(document, what)
        self.known[self.town.issued[place]].sums.add(changes.get("grossSum", document["grossSum"]))
        self.town.tell("/basware/retransfer", invoiceId=self.town.issued[place], changes=changes)
        if told:
            self.town.notify(self.town.issued[place])

    # SAP

    @rule(wanted=st.booleans(), variant=st.sampled_from(["draft", "pending", "no_content", "not_found"]))
    def sap_wants_approval(self, wanted: bool, variant: str) -> None:
        self.town.tell("/sap/settings", approval_mode=wanted, approval_variant=variant)

    @precondition(lambda self: self.town.drafts())
    @rule(which=some, verdict=st.sampled_from(["approve", "add", "reject"]))
    def the_approver_decides(self, which: int, verdict: str) -> None:
        drafts = self.town.drafts()
        entry = drafts[which % len(drafts)]
        self.town.tell(f"/sap/drafts/{'approve' if verdict == 'add' else verdict}", entry=entry)
        if verdict == "add":
            self.town.tell("/sap/drafts/add", entry=entry)

    @rule(place=invoices, share=st.sampled_from([0.4, 1]))
    def sap_pays(self, place: int, share: float) -> None:
        for document in self.town.in_sap(place):
            if document["DocumentStatus"] == "bost_Open" and document["DocTotal"] > document.get("PaidToDate", 0):
                self._in_sap("/sap/payments", entry=document["DocEntry"], share=share)

    @rule(which=some)
    def a_payment_is_cancelled(self, which: int) -> None:
        payments = [one["DocEntry"] for one in self.town.sap("VendorPayments") if one["CancelStatus"] == "csNo"]
        if payments:
            self._in_sap("/sap/payments/cancel", entry=payments[which % len(payments)])

    @rule(place=invoices)
    def the_document_is_cancelled(self, place: int) -> None:
        for document in self.town.in_sap(place):
            kind = "PurchaseCreditNotes" if document in self.town.sap("PurchaseCreditNotes") else "PurchaseInvoices"
            self._in_sap("/sap/documents/cancel", set=kind, entry=document["DocEntry"])

    @rule(place=invoices, frozen=st.booleans())
    def the_vendor_is_frozen_or_thawed(self, place: int, frozen: bool) -> None:
        self.town.tell("/sap/freeze", vendor=self.town.at_basware(place)["supplierCode"], frozen=frozen)

    @rule()
    def the_password_changes_in_sap(self) -> None:
        self.passwords += 1
        self.town.change_password(f"sandbox-sap-{self.passwords + 1}")

    def _in_sap(self, path: str, **body: Any) -> None:
        """What SAP's own people do; what SAP refuses them is not done."""
        with suppress(AssertionError):
            self.town.tell(path, **body)
            self.happened[path] += 1

    # The portal's people

    @rule(flow=st.sampled_from(["invoices", "payments"]), mode=st.sampled_from(["incremental", "full"]))
    def the_poll_comes(self, flow: str, mode: str) -> None:
        self.town.ask(flow, mode)

    @rule(enters=st.booleans())
    def an_admin_enters_the_password_or_just_resumes(self, enters: bool) -> None:
        if enters:
            self.town.enter_password()
        else:
            resume(self.town.again(self.town.integration), PERSON)

    @rule(place=invoices)
    def a_clerk_replays(self, place: int) -> None:
        def replayed(record: Record) -> None:
            replay.replay(record, PERSON)

        self._deed(place, replayed)

    @rule(place=invoices, which=some)
    def a_clerk_decides(self, place: int, which: int) -> None:
        def decided(record: Record) -> None:
            if record.decisions:
                decision = record.decisions[which % len(record.decisions)]
                self.known[record.key].adopted |= decision in {"adopt", "link_successor", "accept_difference"}
                replay.decide(record, PERSON, decision, reason="seen")

        self._deed(place, decided)

    @rule(place=invoices)
    def a_clerk_gives_it_back(self, place: int) -> None:
        def given_back(record: Record) -> None:
            replay.ignore(record, PERSON, "not ours", give_back=True)

        self._deed(place, given_back)

    def _deed(self, place: int, deed: Any) -> None:
        """Done to the record if there is one, and if it is open for it now."""
        record = Record.objects.filter(integration=self.town.integration, key=self.town.issued[place]).first()
        with suppress(ActionRefused):
            if record is not None:
                deed(record)
                self.happened[deed.__name__] += 1

    # Workers, the network, the clock

    @rule(workers=st.sampled_from([1, 1, 2]))
    def workers_do_what_is_due(self, workers: int) -> None:
        self.town.work_together(workers)

    @rule(jump=st.sampled_from(sorted(JUMPS)), workers=st.sampled_from([0, 1, 1, 2]))
    def time_goes_by(self, jump: str, workers: int) -> None:
        self.town.pass_time(JUMPS[jump] or self.town.until_next())
        if workers:
            self.town.work_together(workers)

    @rule(point=st.sampled_from(sorted(POINTS)))
    def a_worker_is_killed(self, point: str) -> None:
        self.happened[f"killed: {point}" if die_at(POINTS[point]) else "not killed"] += 1

    @rule(where=places, what=st.sampled_from(sorted(FAULTS)), count=st.sampled_from([1, 1, 3]), skip=st.integers(0, 2))
    def the_network_fails(self, where: str, what: str, count: int, skip: int) -> None:
        system, method, path = PLACES[where]
        kind, more = FAULTS[what]
        self.town.fault(system, kind, method=method, path=path, count=count, skip=skip, **more)

    @rule(kind=st.sampled_from(["session_lost", "minus_5002", "minus_304"]), skip=st.integers(0, 5))
    def sap_loses_the_session(self, kind: str, skip: int) -> None:
        self.town.fault("sap_b1", kind, skip=skip)

    @rule()
    def sap_says_no_to_a_posting(self) -> None:
        self.town.fault(
            "sap_b1", "error", code=-5002, status=400, message="Enter valid code", method="POST", path=POSTS, count=2
        )

    # What must be true

    @invariant()
    def nothing_is_twice_and_no_answer_is_untrue(self) -> None:
        check_now(self.town, self.known)

    def teardown(self) -> None:
        try:
            self.town.everything_is_mended()
            check_at_rest(self.town, self.known)
            for record in self.town.records("invoices"):
                self.happened[f"end: {record.status} {record.stage} {record.error_code}"] += 1
        finally:
            self._open.close()


def _correction(document: Document, what: str) -> Document:
    if what == "the text":
        return {"description": f"{document.get('description')}, corrected"}
    if what == "the number":
        return {"invoiceNumber": f"{document['invoiceNumber']}C"}
    if what == "the rows" and document["currencyCode"] == "EUR" and document["grossSum"] > 0:
        sound = invoice("service", 7)
        return {name: sound.get(name) for name in FIGURES}
    return {}
