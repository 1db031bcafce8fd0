"""One invoice on its way: the record as it stands, the desk, and what both say when asked the right questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from syncengine.connectors.calls import utcnow
from syncengine.connectors.erp import ErpClient
from syncengine.connectors.sap_b1.company import CompanyFacts
from syncengine.flows.company import FlowContext
from syncengine.flows.desk import Desk, PastAttempt, Work
from syncengine.flows.invoicing.rules import LIMITS
from syncengine.mapping import FieldMapping, Mapped
from syncengine.mapping.text import as_text
from syncengine.posting.document import Plan
from syncengine.posting.duplicates import DOWN_PAYMENTS
from syncengine.posting.invoice import ordered_rows, row_sources
from syncengine.posting.lookups import SapFacts
from syncengine.posting.terms import Terms

WAITING = "WaitingForTransfer"
IN_PROGRESS = "TransferInProgress"
FAILED = "TransferFailed"
TRANSFERRED = frozenset({"Transferred", "Paid"})
STANDARD = "Standard"

MAYBE_DONE = frozenset({"sending", "unknown"})
TAKEN = frozenset({"accepted", "settled", "done", "no_answer"})

ANSWER_LASTS = timedelta(hours=1)
"""How long an accepted answer is taken to be on its way; after that a person's replay may send another."""

FACTS = "sap_facts"


def is_ours(document: Mapping[str, Any], company: str) -> bool:
    """Approved for payment here (Standard), not elsewhere, and of the connection's company.

    Contracts: Basware §14.1. A document may say neither.
    """
    standard = document.get("p2pProcessingMode") in {None, "", STANDARD}
    return standard and as_text(document.get("companyCode")) in {"", company}


def terms_of(ctx: FlowContext, mark_field: str) -> Terms:
    """The terms of posting of an integration."""
    facts: CompanyFacts = ctx.facts
    settings = ctx.settings
    isos = {currency.iso.upper() for currency in facts.currencies.values()}
    return Terms(
        today=ctx.today,
        local_currency=facts.local_currency,
        currencies={iso: facts.code(iso) or iso for iso in isos},
        currency_decimals={code: currency.decimals for code, currency in facts.currencies.items()},
        decimals=facts.total_decimals,
        price_decimals=facts.price_decimals,
        tax_field="TaxCode" if facts.tax_field == "TaxCode" else "VatGroup",
        dimension=ctx.cost_center_dimension,
        branches=facts.branches,
        mark_field=mark_field,
        source_system=settings.source_system,
        credit_note_types=settings.credit_note_types,
        invoice_types=settings.invoice_types,
        allow_zero_total=settings.allow_zero_total,
        next_open_day=settings.locked_period == "next_open_day",
        allow_unusual_dates=settings.allow_unusual_dates,
        foreign_amount_field=settings.foreign_amount_field,
        withholding_tax=settings.withholding_tax,
        allow_unlinked_returns=settings.allow_unlinked_returns,
        lookups=ctx.lookups,
    )


def facts_of(ctx: FlowContext, sap: ErpClient) -> SapFacts:
    """What was looked up in SAP's master data, shared by all invoices of the run."""
    facts: SapFacts = ctx.memory.setdefault(FACTS, SapFacts(sap, utcnow))
    return facts


EXPECTED = (
    ("ChartOfAccounts", "accountCode"),
    ("ProfitCenters", "costCenterCode"),
    ("Projects", "projectCode"),
    ("VatGroups", "taxCode"),
)
"""What coding rows name, as far as the default rules go; asking for what is not there does no harm."""


def expect(facts: SapFacts, documents: Sequence[Mapping[str, Any]]) -> None:
    """Documents found by one read name much the same master data: it is read together."""
    vendors = [as_text(document.get("supplierCode")) for document in documents]
    for entity_set in ("BusinessPartners", DOWN_PAYMENTS):
        facts.expect(entity_set, vendors)
    rows = [row for document in documents for row in ordered_rows(document)]
    for entity_set, name in EXPECTED:
        facts.expect(entity_set, (as_text(row.get(name)) for row in rows))


def map_document(document: Mapping[str, Any], mapping: FieldMapping, ctx: FlowContext) -> Mapped:
    """The customer's rules over one document."""
    rows = {"DocumentLines": row_sources(document)}
    return mapping.apply(document, rows=rows, lookups=ctx.lookups, limits=LIMITS)


@dataclass(frozen=True)
class Case:
    """One invoice's record and desk. Keys of the memo:

    status          the document's status in Basware as we know it last
    read_again      the document is to be read anew before anything else (after every stop: replay maps the fresh body)
    plan, checked_at    what is to be posted, and when it was checked
    round           counts the postings that a person has started anew
    unknown_since   when an answer of SAP was lost
    draft           the draft that waits for approval
    asked           what a person was asked: decides what their `post` means
    candidates      documents in SAP that they may adopt
    post_anyway, take_over, return_agreed    what they have decided
    difference_accepted    what SAP made of it differs, and a person has agreed
    verified, block, trans_num    of the posted document, once it was read back
    """

    work: Work
    desk: Desk

    @property
    def invoice_id(self) -> str:
        return self.work.key

    @property
    def document(self) -> Mapping[str, Any]:
        return self.work.source

    @property
    def status(self) -> str:
        return as_text(self.memo("status") or self.document.get("processingStatus"))

    @property
    def round(self) -> int:
        return int(self.memo("round") or 1)

    @property
    def plan(self) -> Plan | None:
        stored = self.memo("plan")
        return Plan.from_dict(stored) if stored else None

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.desk.ctx, self.desk.sap.settings.user_defined_id_field)

    @property
    def facts(self) -> SapFacts:
        return facts_of(self.desk.ctx, self.desk.sap)

    def memo(self, name: str) -> Any:
        return self.work.memo.get(name)

    def moment(self, name: str) -> datetime | None:
        stored = self.memo(name)
        return datetime.fromisoformat(stored) if stored else None

    # What was written before

    def holds_claim(self) -> bool:
        """Whether the claim on the document is ours: acknowledged, or maybe, and not answered since."""
        claims = [
            attempt
            for attempt in self.desk.attempts("acknowledge")
            if attempt.state in MAYBE_DONE or (attempt.state == "done" and (attempt.answer or {}).get("claimed"))
        ]
        if not claims:
            return False
        answered = [attempt for attempt in self.answers() if attempt.state in TAKEN]
        return not any(attempt.started_at > claims[-1].started_at for attempt in answered)

    def answers(self) -> Sequence[PastAttempt]:
        return self.desk.attempts("transfer_response")

    def answer_under_way(self) -> PastAttempt | None:
        """The answer to the present claim that Basware has accepted and not worked on yet."""
        answers, claims = self.answers(), self.desk.attempts("acknowledge")
        if not answers or answers[-1].state != "accepted" or self.desk.now - answers[-1].started_at > ANSWER_LASTS:
            return None
        return answers[-1] if not claims or answers[-1].started_at > claims[-1].started_at else None

    def posts(self) -> list[PastAttempt]:
        """The posts of this round, oldest first."""
        prefix = f"{self.round}."
        return [attempt for attempt in self.desk.attempts("post") if attempt.key.startswith(prefix)]

    def posted_under_this_claim(self) -> bool:
        """Linked already, by a post made since the document was claimed last: a crash came before the stage moved."""
        posts, claims = self.posts(), self.desk.attempts("acknowledge")
        if not posts or self.desk.posting() is None:
            return False
        return posts[-1].state in MAYBE_DONE | TAKEN and (not claims or posts[-1].started_at > claims[-1].started_at)

    def open_post(self) -> PastAttempt | None:
        """A post of ours that happened, or may have, and whose document is not linked yet."""
        if self.desk.posting() is not None:
            return None
        posts = [attempt for attempt in self.posts() if attempt.state in MAYBE_DONE | TAKEN]
        return posts[-1] if posts else None
