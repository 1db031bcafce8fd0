"""Another ERP behind the same flows: a REST ERP in SAP's place, real flows, real sockets."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from syncengine.connectors.rest_erp import RestErp
from syncengine.engine.connecting import save_connection
from syncengine.engine.ping import ping_all
from syncengine.engine.previews import preview
from syncengine.models import Call, PostedDocument, RunStatus
from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.faults import Fault
from syncengine.sandbox.rest_erp.server import RestErpSandbox
from tenants.errors import Refused
from tests.engine.world import PERSON, World

pytestmark = pytest.mark.django_db(transaction=True)

MASTER_DATA = ("payment_terms", "tax_codes", "gl_accounts", "cost_centers", "vendors", "purchase_orders")


class Crash(BaseException):
    """The process is gone."""


@dataclass
class House:
    """The integration, and the ERP that it works with."""

    world: World
    erp: RestErpSandbox

    @property
    def invoices(self) -> list[dict]:
        return list(self.erp.resources["invoices"].values())

    @property
    def posts(self) -> list[dict]:
        return [call for call in self.erp.requests.log() if call["method"] == "POST"]

    def issue(self, number: str, **changes) -> str:
        """An approved invoice of the demo: a vendor, accounts and tax codes that the ERP has too."""
        changes = {"invoiceNumber": number, "processingStatus": "WaitingForTransfer", **changes}
        model = Dataset().invoices()[0]["invoiceId"]
        return self.world.tell("/basware/issue", copyOf=model, changes=changes)["invoiceId"]

    def status(self, invoice_id: str) -> str:
        (found,) = self.world.tell("/basware/documents", "GET", invoiceId=invoice_id, brief=1)
        return found["processingStatus"]


@pytest.fixture
def house(world) -> House:
    erp = RestErpSandbox(Dataset())
    erp.start()
    fields = {"erp": "rest", "base_url": erp.base_url, "company": erp.company, "api_key": erp.api_key}
    save_connection(world.integration, "sap_b1", fields, PERSON)
    for invoice in world.tell("/basware/documents", "GET", brief=1):
        world.tell("/basware/move", invoiceId=invoice["invoiceId"], status="Transferred")
    world.quiet()
    yield House(world, erp)
    erp.stop()


def test_the_master_data_of_a_rest_erp_arrives_in_basware(house):
    for flow in MASTER_DATA:
        assert house.world.run(flow).status == RunStatus.SUCCEEDED, house.world.picture(flow)
    for name, field, resource in (
        ("vendors", "vendorCode", "vendors"),
        ("costCenters", "costCenterCode", "cost-centers"),
        ("taxCodes", "taxCode", "tax-codes"),
    ):
        held = {one[field] for one in house.world.basware(name).values()}
        assert held == {*house.erp.resources[resource]}, name
    assert house.world.basware("matchingOrders")
    assert house.world.calls("sap_b1") == []


def test_what_is_gone_from_the_erp_is_closed_and_what_is_equal_is_not_sent_again(house):
    house.world.run("cost_centers")
    del house.erp.resources["cost-centers"]["ADM"]
    run = house.world.run("cost_centers", "full")
    assert (run.closed, run.sent) == (1, 1)
    assert house.world.basware("costCenters")["1000-CC-ADM"]["companies"][0]["active"] is False


def test_an_approved_invoice_is_posted_into_the_erp_and_confirmed_in_basware(house):
    invoice_id = house.issue("R-1")
    run = house.world.run("invoices")
    assert run.status == RunStatus.SUCCEEDED, house.world.record("invoices", invoice_id).error_message
    (booked,) = house.invoices
    (document,) = house.world.tell("/basware/documents", "GET", invoiceId=invoice_id)
    assert (booked["vendor_number"], booked["external_reference"]) == ("R-1", invoice_id)
    assert booked["gross"] == Decimal(str(document["grossSum"]))
    assert (document["processingStatus"], document["voucherNumber1"]) == ("Transferred", str(booked["number"]))
    assert PostedDocument.objects.get().doc_entry == booked["id"]


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_an_answer_that_is_lost_around_the_post_makes_no_second_invoice(house, settings, kind):
    settings.REPOST_AFTER = 0.3
    invoice_id = house.issue("R-1")
    house.erp.faults.add(Fault(kind=kind, method="POST", path="/invoices", count=1))
    house.world.run("invoices")
    house.world.work()
    assert [one["vendor_number"] for one in house.invoices] == ["R-1"]
    assert house.status(invoice_id) == "Transferred"


def test_a_crash_right_after_the_post_makes_no_second_invoice(house, monkeypatch):
    invoice_id, create = house.issue("R-1"), RestErp.create

    def and_die(self, *args):
        create(self, *args)
        raise Crash

    monkeypatch.setattr(RestErp, "create", and_die)
    with pytest.raises(Crash):
        house.world.run("invoices")
    monkeypatch.undo()
    assert len(house.invoices) == 1
    record = house.world.record("invoices", invoice_id)
    record.lease_expires_at = record.created_at
    record.save()
    house.world.run("invoices")
    house.world.work()
    assert [one["vendor_number"] for one in house.invoices] == ["R-1"]
    assert len(house.posts) == 1
    assert house.status(invoice_id) == "Transferred"


def test_what_the_erp_refuses_is_put_before_a_person_in_its_own_words(house):
    invoice_id = house.issue("R-1")
    house.erp.rights = []
    house.world.run("invoices")
    record = house.world.record("invoices", invoice_id)
    assert record.status == "failed"
    assert "may not add invoices" in record.error_message
    assert house.invoices == []


def test_a_duplicate_in_the_erp_is_found_before_anything_is_posted(house):
    house.issue("R-1")
    house.world.run("invoices")
    again = house.issue("R-1")
    house.world.run("invoices")
    assert len(house.invoices) == 1
    assert house.world.record("invoices", again).error_code == "needs_decision"


def test_a_payment_in_the_erp_is_told_to_basware(house):
    invoice_id = house.issue("R-1")
    house.world.run("invoices")
    (booked,) = house.invoices
    house.erp.pay(booked["id"], booked["gross"])
    house.world.run("payments")
    assert house.status(invoice_id) == "Paid"


def test_ping_goes_through_the_erp_and_writes_nothing(house):
    (erp, _) = ping_all(house.world.integration)["systems"]
    assert erp["ok"], erp
    names = {check["name"] for check in erp["checks"]}
    assert {"login", "version", "read:vendors", "read:purchase-orders", "write:invoices"} <= names
    assert house.posts == []


def test_a_wrong_key_pauses_the_integration(house):
    house.erp.api_key = "another"
    assert house.world.run("vendors").status == RunStatus.FAILED
    house.world.integration.refresh_from_db()
    assert "API key" in house.world.integration.paused_reason


def test_a_preview_takes_a_record_of_the_erp(house):
    shown = preview(house.world.integration, "vendors", None, None)
    assert shown["target"]["vendorCode"] in house.erp.resources["vendors"]


def test_the_key_is_in_nothing_that_is_kept(house):
    house.world.run("payment_terms")
    assert Call.objects.filter(url__startswith=house.erp.base_url).exists()
    assert house.erp.api_key not in repr(list(Call.objects.values()))


def test_the_key_is_entered_again_when_the_host_changes(house):
    fields = {"erp": "rest", "base_url": "http://127.0.0.1:9", "company": house.erp.company}
    with pytest.raises(Refused) as refused:
        save_connection(house.world.integration, "sap_b1", fields, PERSON)
    assert [error.field for error in refused.value.errors] == ["api_key"]


def test_a_dry_run_writes_nothing_into_the_erp(house):
    house.issue("R-1")
    house.world.run("invoices", "dry_run")
    assert house.posts == []
