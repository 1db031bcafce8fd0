"""The machine: what people, Basware, SAP, the network, the clock and death may do next, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncengine.engine import replay
from syncengine.engine.pauses import resume
from syncengine.engine.runs import ActionRefused
from syncengine.models import Record, Run
from syncengine.sandbox.launch import Sandboxes
from tests.engine.world import PERSON, Document
from tests.faults.stateful.model import Known, check_at_rest, check_now
from tests.faults.stateful.town import LivingTown, living_town
from tests.faults.stateful.workers import die_at
from tests.faults.test_crash_points import POINTS
from tests.faults.world import invoice

Then = list[str]
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
JUMPS = {"the next thing is due": None, "a lease": 31.0, "eleven minutes": 660.0, "an hour": 3700.0, "a day": 90_000.0}
WORKERS = {"a worker": 1, "two workers": 2}
FIGURES = ("codingRows", "netSum", "taxSum1", "taxSum2", "grossSum", "netSumCompany", "taxSum1Company")
CORRECTIONS = ("none", "the text", "the number", "the rows")

places = st.sampled_from(sorted(PLACES))
some = st.integers(0, 99)
deeds = [*WORKERS, *WORKERS, *JUMPS, *JUMPS, *JUMPS, *POINTS]
what_follows = st.lists(st.sampled_from(deeds), min_size=1, max_size=4)
"""Every step lets workers work, die and time go by: else most of what hypothesis thinks of would never come to pass."""


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
        self.absent_for = -1

    # Basware

    @initialize(target=invoices, kind=st.sampled_from(KINDS), then=what_follows)
    def the_first_is_approved(self, kind: tuple[str, int], then: Then) -> int:
        place = self._approve(kind)
        self._then(then)
        return place

    @precondition(lambda self: len(self.known) < MOST_INVOICES)
    @rule(target=invoices, kind=st.sampled_from(KINDS), early=st.booleans(), told=st.booleans(), then=what_follows)
    def an_invoice_is_approved(self, kind: tuple[str, int], early: bool, told: bool, then: Then) -> int:
        self.town.sandboxes.basware.switches.change({"readable_after": 5.0 if early else 0.0})
        place = self._approve(kind)
        if told:
            self.town.notify(self.town.issued[place])
        self._then(then)
        return place

    def _approve(self, kind: tuple[str, int]) -> int:
        document = invoice(*kind)
        if document["invoiceId"] in self.known:  # the same bill once more, under another id and number
            again = len(self.known)
            document |= {"invoiceId": f"{again}" * 32, "invoiceNumber": f"{document['invoiceNumber']}-{again}"}
        self.known[document["invoiceId"]] = Known({document["grossSum"]})
        return self.town.approve(document)

    @rule(place=invoices, then=what_follows)
    def basware_notifies(self, place: int, then: Then) -> None:
        self.town.notify(self.town.issued[place])
        self._then(then)

    @rule(document_id=st.sampled_from(["0" * 32, "not an id"]), then=what_follows)
    def basware_notifies_of_nothing(self, document_id: str, then: Then) -> None:
        self.town.notify(document_id)
        self._then(then)

    @rule(which=some, then=what_follows)
    def an_old_notification_comes_again(self, which: int, then: Then) -> None:
        for note in _one_of(self.town.notes, which):
            assert self.town.deliver(note) == 200
        self._then(then)

    @rule(which=some, form=st.sampled_from(["bad", "none"]), then=what_follows)
    def a_forged_notification_comes(self, which: int, form: str, then: Then) -> None:
        for note in _one_of(self.town.notes, which):
            assert self.town.deliver(note, form) == 401
        self._then(then)

    @rule(which=some, what=st.sampled_from(CORRECTIONS), told=st.booleans(), then=what_follows)
    def a_failed_transfer_is_corrected_and_sent_again(self, which: int, what: str, told: bool, then: Then) -> None:
        for place in _one_of(self._in_basware("TransferFailed"), which):
            document = self.town.at_basware(place)
            changes = _correction(document, what)
            self.known[self.town.issued[place]].sums.add(changes.get("grossSum", document["grossSum"]))
            self.town.tell("/basware/retransfer", invoiceId=self.town.issued[place], changes=changes)
            self.happened["sent again"] += 1
            if told:
                self.town.notify(self.town.issued[place])
        self._then(then)

    def _in_basware(self, status: str) -> list[int]:
        here = range(len(self.town.issued))
        return [place for place in here if self.town.at_basware(place)["processingStatus"] == status]

    # SAP

    @rule(
        wanted=st.booleans(),
        variant=st.sampled_from(["draft", "pending", "no_content", "not_found"]),
        then=what_follows,
    )
    def sap_wants_approval(self, wanted: bool, variant: str, then: Then) -> None:
        self.town.tell("/sap/settings", approval_mode=wanted, approval_variant=variant)
        self._then(then)

    @rule(which=some, verdict=st.sampled_from(["approve", "add", "reject"]), then=what_follows)
    def the_approver_decides(self, which: int, verdict: str, then: Then) -> None:
        for entry in _one_of(self.town.drafts(), which):
            self.town.tell(f"/sap/drafts/{'approve' if verdict == 'add' else verdict}", entry=entry)
            if verdict == "add":
                self.town.tell("/sap/drafts/add", entry=entry)
            self.happened[f"draft: {verdict}"] += 1
        self._then(then)

    @rule(place=invoices, share=st.sampled_from([0.4, 1]), then=what_follows)
    def sap_pays(self, place: int, share: float, then: Then) -> None:
        for document in self.town.in_sap(place):
            if document["DocumentStatus"] == "bost_Open" and document["DocTotal"] > document.get("PaidToDate", 0):
                self._in_sap("/sap/payments", entry=document["DocEntry"], share=share)
        self._then(then)

    @rule(which=some, then=what_follows)
    def a_payment_is_cancelled(self, which: int, then: Then) -> None:
        payments = [one["DocEntry"] for one in self.town.sap("VendorPayments") if one["CancelStatus"] == "csNo"]
        for entry in _one_of(payments, which):
            self._in_sap("/sap/payments/cancel", entry=entry)
        self._then(then)

    @rule(place=invoices, then=what_follows)
    def the_document_is_cancelled(self, place: int, then: Then) -> None:
        for document in self.town.in_sap(place):
            kind = "PurchaseCreditNotes" if document in self.town.sap("PurchaseCreditNotes") else "PurchaseInvoices"
            self._in_sap("/sap/documents/cancel", set=kind, entry=document["DocEntry"])
        self._then(then)

    @rule(place=invoices, frozen=st.booleans(), then=what_follows)
    def the_vendor_is_frozen_or_thawed(self, place: int, frozen: bool, then: Then) -> None:
        self.town.tell("/sap/freeze", vendor=self.town.at_basware(place)["supplierCode"], frozen=frozen)
        self._then(then)

    @rule(absent_for=st.integers(0, 6), then=what_follows)
    def the_password_changes_in_sap(self, absent_for: int, then: Then) -> None:
        self.absent_for = absent_for
        self.passwords += 1
        self.town.change_password(f"sandbox-sap-{self.passwords + 1}")
        self._then(then)

    def _in_sap(self, path: str, **body: Any) -> None:
        """What SAP's own people do; what SAP refuses them is not done."""
        with suppress(AssertionError):
            self.town.tell(path, **body)
            self.happened[path] += 1

    # The portal's people

    @rule(
        flow=st.sampled_from(["invoices", "payments"]), mode=st.sampled_from(["incremental", "full"]), then=what_follows
    )
    def the_poll_comes(self, flow: str, mode: str, then: Then) -> None:
        self.town.ask(flow, mode)
        self._then(then)

    @rule(enters=st.booleans(), then=what_follows)
    def an_admin_enters_the_password_or_just_resumes(self, enters: bool, then: Then) -> None:
        if enters:
            self.town.enter_password()
        else:
            resume(self.town.again(self.town.integration), PERSON)
        self._then(then)

    @rule(place=invoices, then=what_follows)
    def a_clerk_replays(self, place: int, then: Then) -> None:
        def replayed(record: Record) -> None:
            replay.replay(record, PERSON)

        self._deed(place, replayed)
        self._then(then)

    @rule(which=some, then=what_follows)
    def a_clerk_decides(self, which: int, then: Then) -> None:
        def decided(record: Record) -> None:
            if record.decisions:
                decision = record.decisions[which % len(record.decisions)]
                self.known[record.key].adopted |= decision in {"adopt", "link_successor", "accept_difference"}
                replay.decide(record, PERSON, decision, reason="seen")

        for key in _one_of(self._asked(), which):
            self._deed(self.town.issued.index(key), decided)
        self._then(then)

    @rule(place=invoices, then=what_follows)
    def a_clerk_gives_it_back(self, place: int, then: Then) -> None:
        def given_back(record: Record) -> None:
            replay.ignore(record, PERSON, "not ours", give_back=True)

        self._deed(place, given_back)
        self._then(then)

    def _asked(self) -> list[str]:
        """The invoices about which the portal has asked something."""
        records = Record.objects.filter(integration=self.town.integration, flow="invoices").exclude(decisions=[])
        return list(records.order_by("id").values_list("key", flat=True))

    def _deed(self, place: int, deed: Any) -> None:
        """Done to the record if there is one, and if it is open for it now."""
        record = Record.objects.filter(
            integration=self.town.integration, flow="invoices", key=self.town.issued[place]
        ).first()
        with suppress(ActionRefused):
            if record is not None:
                deed(record)
                self.happened[deed.__name__] += 1

    # Workers, the network, the clock

    def _then(self, then: Then) -> None:
        for deed in then:
            if self.absent_for == 0:
                self.town.enter_password()
            self.absent_for -= 1
            if not Run.objects.filter(integration=self.town.integration, finished_at=None).exists():
                self.town.ask("invoices" if self.absent_for % 2 else "payments")
            self._do(deed)

    def _do(self, deed: str) -> None:
        if deed in POINTS:
            self.happened[f"killed: {deed}" if die_at(POINTS[deed]) else "not killed"] += 1
            return
        if deed in JUMPS:
            self.town.pass_time(JUMPS[deed] or self.town.until_next())
        self.town.work_together(WORKERS.get(deed, 1))

    @rule(
        where=places,
        what=st.sampled_from(sorted(FAULTS)),
        count=st.sampled_from([1, 1, 3]),
        skip=st.integers(0, 2),
        then=what_follows,
    )
    def the_network_fails(self, where: str, what: str, count: int, skip: int, then: Then) -> None:
        system, method, path = PLACES[where]
        kind, more = FAULTS[what]
        self.town.fault(system, kind, method=method, path=path, count=count, skip=skip, **more)
        self._then(then)

    @rule(kind=st.sampled_from(["session_lost", "minus_5002", "minus_304"]), skip=st.integers(0, 5), then=what_follows)
    def sap_loses_the_session(self, kind: str, skip: int, then: Then) -> None:
        self.town.fault("sap_b1", kind, skip=skip)
        self._then(then)

    @rule(then=what_follows)
    def sap_says_no_to_a_posting(self, then: Then) -> None:
        self.town.fault(
            "sap_b1", "error", code=-5002, status=400, message="Enter valid code", method="POST", path=POSTS, count=2
        )
        self._then(then)

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


def _one_of(there: Sequence[Any], which: int) -> Sequence[Any]:
    """One of what is there just now, if anything is.

    A precondition would not do: what a rule finds depends on real processes, what hypothesis draws must not.
    """
    return [there[which % len(there)]] if there else []


def _correction(document: Document, what: str) -> Document:
    if what == "the text":
        return {"description": f"{document.get('description')}, corrected"}
    if what == "the number":
        return {"invoiceNumber": f"{document['invoiceNumber']}C"}
    if what == "the rows" and document["currencyCode"] == "EUR" and document["grossSum"] > 0:
        sound = invoice("service", 7)
        return {name: sound.get(name) for name in FIGURES}
    return {}
