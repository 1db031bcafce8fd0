"""Two SAP companies with one Basware account: an integration for each, kept apart by the company code alone.

Both companies hold the same data set, so that every vendor, order and account of one has a namesake in the other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from syncengine.engine import mappings, webhooks
from syncengine.engine.connecting import save_connection
from syncengine.models import InboxNotification, PostedDocument, Record, RunStatus
from syncengine.sandbox.basware.tokens import CLIENT_ID
from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.server import SapSandbox
from syncengine.sandbox.store import Store
from tests import factories
from tests.engine.world import PERSON, World, no_sweep

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("1000", "2000")
MASTER_DATA = ("payment_terms", "tax_codes", "gl_accounts", "cost_centers", "vendors")


@dataclass
class Company:
    """One SAP company, its integration, and what tests do with either."""

    code: str
    world: World
    sap: SapSandbox

    def run(self, flow: str, mode: str = "incremental") -> Any:
        return self.world.run(flow, mode)

    @property
    def posted(self) -> list[str]:
        """The vendors' numbers of the invoices that we posted into this company."""
        rows = PostedDocument.objects.filter(integration=self.world.integration)
        booked = {row["DocEntry"]: row for row in self.sap.company.collection("PurchaseInvoices").values()}
        return sorted(booked[row.doc_entry]["NumAtCard"] for row in rows)

    def notified(self, *invoice_ids: str) -> list[InboxNotification]:
        """What becomes of Basware's notifications, which go to every subscriber of the account."""
        for invoice_id in invoice_ids:
            body = json.dumps(
                {
                    "taskId": f"t-{invoice_id}",
                    "taskStatus": "New",
                    "taskType": "AccountingDocuments",
                    "taskSubType": "WaitingForTransfer",
                    "documentId": invoice_id,
                }
            ).encode()
            signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            assert webhooks.receive(self.world.integration, body, signature, timezone.now())[0] == 200
        return list(InboxNotification.objects.filter(integration=self.world.integration).order_by("id"))

    @property
    def secret(self) -> str:
        return f"secret-of-company-{self.code}-0123456789"


@pytest.fixture
def second_sap():
    server = SapSandbox(
        Store(), Dataset(), credentials={"company_db": "SBO_2", "username": "u", "password": "pw-2nd-co"}
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def companies(world, second_sap) -> SimpleNamespace:
    """The companies 1000 and 2000 with one Basware account; their first invoices are issued by the tests."""
    world.tell("/basware/switches", companies={"1000": None, "2000": None})
    basware = world.sandboxes.addresses["basware"]
    assert basware["client_id"] == CLIENT_ID
    other = factories.IntegrationFactory(organization=world.integration.organization, name="Sweden")
    save_connection(other, "sap_b1", {"base_url": second_sap.base_url, **second_sap.credentials}, PERSON)
    save_connection(other, "basware", {**basware, "company_code": "2000"}, PERSON)
    no_sweep()
    worlds = (world, World(other, world.sandboxes))
    made = [
        Company(code, one, sap) for code, one, sap in zip(CODES, worlds, (world.sandboxes.sap, second_sap), strict=True)
    ]
    for company in made:
        factories.WebhookSecretFactory(integration=company.world.integration, secret={"value": company.secret})
    for invoice in world.tell("/basware/documents", "GET", brief=1):
        world.tell("/basware/move", invoiceId=invoice["invoiceId"], status="Transferred")
    return SimpleNamespace(first=made[0], second=made[1], both=made, tell=world.tell)


def issue(companies, company: Company, number: str) -> str:
    """An approved invoice of that company, with a vendor and accounts that both companies have."""
    model = Dataset().invoices()[0]["invoiceId"]
    changes = {"companyCode": company.code, "invoiceNumber": number, "processingStatus": "WaitingForTransfer"}
    return companies.tell("/basware/issue", copyOf=model, changes=changes)["invoiceId"]


def statuses(companies) -> dict[str, str]:
    return {one["invoiceId"]: one["processingStatus"] for one in companies.tell("/basware/documents", "GET", brief=1)}


# Master data


def test_namesakes_of_two_companies_are_two_records_in_basware(companies):
    for company in companies.both:
        for flow in MASTER_DATA:
            assert company.run(flow).status == RunStatus.SUCCEEDED, company.world.picture(flow)
    for name, field in (("vendors", "vendorCode"), ("accounts", "accountCode"), ("costCenters", "costCenterCode")):
        held = [*companies.first.world.basware(name).values()]
        of = {code: {one[field] for one in held if one["companies"][0]["companyCode"] == code} for code in CODES}
        assert of["1000"] == of["2000"] != set()
        assert all(one["externalCode"].startswith(one["companies"][0]["companyCode"]) for one in held)
        assert all(len(one["companies"]) == 1 for one in held)


def test_what_one_company_closes_stays_open_in_the_other(companies):
    for company in companies.both:
        company.run("cost_centers")
    companies.first.world.remove("ProfitCenters", "ADM")
    assert companies.first.run("cost_centers", "full").closed == 1
    assert companies.second.run("cost_centers", "full").closed == 0
    held = companies.first.world.basware("costCenters")
    active = {code: one["companies"][0]["active"] for code, one in held.items() if one["costCenterCode"] == "ADM"}
    assert active == {"1000-CC-ADM": False, "2000-CC-ADM": True}


# Invoices


def test_each_company_posts_its_own_invoices_and_touches_no_other(companies):
    mine, theirs = issue(companies, companies.first, "A-1"), issue(companies, companies.second, "B-1")
    companies.first.run("invoices")
    assert companies.first.posted == ["A-1"]
    assert statuses(companies)[theirs] == "WaitingForTransfer"
    companies.second.run("invoices")
    assert companies.second.posted == ["B-1"]
    assert {statuses(companies)[one] for one in (mine, theirs)} == {"Transferred"}
    keys = {company.code: {row.key for row in company.world.records("invoices")} for company in companies.both}
    assert keys == {"1000": {mine}, "2000": {theirs}}


def test_the_same_number_of_the_same_vendor_is_no_duplicate_in_the_other_company(companies):
    for company in companies.both:
        issue(companies, company, "SAME-1")
        company.run("invoices")
    assert [company.posted for company in companies.both] == [["SAME-1"], ["SAME-1"]]


def test_the_sweep_of_one_company_leaves_the_claims_of_the_other(companies):
    theirs = issue(companies, companies.second, "B-1")
    companies.tell("/basware/move", invoiceId=theirs, status="TransferInProgress")
    companies.first.run("invoices", "full")
    assert companies.first.world.records("invoices") == []


def test_a_notification_is_worked_on_by_the_company_it_is_about_and_closed_by_the_other(companies):
    mine, theirs = issue(companies, companies.first, "A-1"), issue(companies, companies.second, "B-1")
    for company in companies.both:
        company.notified(mine, theirs)
    companies.first.world.work()
    results = [[one.result for one in company.notified()] for company in companies.both]
    assert results == [["taken up", "of another company"], ["of another company", "taken up"]]
    for company in companies.both:
        assert {row.key for row in company.world.records("invoices")} == {mine if company.code == "1000" else theirs}


def test_another_companys_notification_costs_one_read(companies):
    theirs = issue(companies, companies.second, "B-1")
    companies.first.notified(theirs)
    companies.first.world.quiet()
    companies.first.world.work()
    assert len(companies.first.world.calls("basware", "GET", theirs)) == 1
    (notification,) = companies.first.notified()
    assert notification.processed_at is not None
    assert Record.objects.filter(key=theirs).count() == 0


def test_an_invoice_that_moves_to_the_other_company_is_posted_there(companies):
    moved = issue(companies, companies.first, "M-1")
    companies.tell("/basware/change", invoiceId=moved, changes={"companyCode": "2000"})
    for company in companies.both:
        company.run("invoices")
    assert [company.posted for company in companies.both] == [[], ["M-1"]]


# Branches


@pytest.fixture
def branched(companies):
    """The second company works with branches: 1 Stockholm and 2 Malmö, a disabled one besides."""
    sap = companies.second.sap.company
    with sap.store.transaction():
        sap.collection("settings").put("settings", {**sap.settings, "branches": True})
        for number, name, disabled in ((1, "Stockholm", "tNO"), (2, "Malmö", "tNO"), (3, "Closed", "tYES")):
            sap.collection("BusinessPlaces").put(number, {"BPLID": number, "BPLName": name, "Disabled": disabled})
    return companies


def look_up(company: Company, flow: str, **tables: dict[str, str]) -> None:
    current = mappings.current(company.world.integration, flow)
    mappings.save(company.world.integration, flow, current.rules, {**current.lookups, **tables}, PERSON)


@pytest.mark.parametrize(
    ("table", "element", "branch"),
    [
        ({"MAL": "2", "2000": "1"}, "MAL", 2),
        ({"MAL": "2", "2000": "1"}, "STO", 1),
        ({"2000": "1"}, "MAL", 1),
    ],
)
def test_an_invoice_is_posted_in_the_branch_of_its_organization_element_else_of_its_company(
    branched, table, element, branch
):
    look_up(branched.second, "invoices", branches=table)
    invoice = issue(branched, branched.second, "B-1")
    branched.tell("/basware/change", invoiceId=invoice, changes={"organizationElementCode": element})
    branched.second.run("invoices")
    (row,) = PostedDocument.objects.filter(integration=branched.second.world.integration)
    booked = branched.second.sap.company.collection("PurchaseInvoices").get(row.doc_entry)
    assert booked["BPL_IDAssignedToInvoice"] == branch


@pytest.mark.parametrize(
    ("table", "words"), [({}, "names none"), ({"2000": "3"}, "disabled"), ({"2000": "9"}, "not exist")]
)
def test_without_an_active_branch_nothing_is_posted_and_the_claim_is_kept(branched, table, words):
    look_up(branched.second, "invoices", branches=table)
    invoice = issue(branched, branched.second, "B-1")
    branched.second.run("invoices")
    record = branched.second.world.record("invoices", invoice)
    assert record.status == "failed"
    assert words in record.error_message
    assert statuses(branched)[invoice] == "TransferInProgress"


def test_orders_of_branches_go_to_their_organization_elements(branched):
    branched.tell("/basware/switches", companies={"1000": None, "2000": None, "2000M": "2000"})
    look_up(branched.second, "purchase_orders", branches={"2": "2000M"})
    orders = branched.second.sap.company.collection("PurchaseOrders")
    keys = sorted(order["DocEntry"] for order in orders.values() if order["DocumentStatus"] == "bost_Open")[:2]
    with branched.second.sap.company.store.transaction():
        for key, branch in zip(keys, (1, 2), strict=True):
            orders.put(key, {**orders.get(key), "BPL_IDAssignedToInvoice": branch})
    for flow in (*MASTER_DATA, "projects", "purchase_orders"):
        branched.second.run(flow)
    sent = branched.second.world.basware("matchingOrders")
    elements = [sent[f"2000-PO-{key}"]["organizationElementCode"] for key in keys]
    assert elements == ["2000", "2000M"]
    assert {body["companyCode"] for body in sent.values()} == {"2000"}
