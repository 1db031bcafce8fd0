"""One inherited suite: every master-data flow through the real engine, from one sandbox to the other."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from syncengine.engine import replay, runs
from syncengine.flows import registry
from syncengine.flows.master import MasterDataFlow
from syncengine.models import Record
from tests.engine.world import PERSON, POSTED_TO, World

Document = dict[str, Any]

KEPT = 14
MANY = 7


def bodies(payload: dict[str, list[Document]] | None) -> list[Document]:
    return [body for part in (payload or {}).values() for body in part]


class ThroughTheEngine:
    """`flow` names the flow, `entity_set` what it reads; `change` is what somebody in SAP changes on one record.

    `needs` are flows that must have run before. SAP holds KEPT records of the flow, so that each test is quick.
    """

    flow: ClassVar[str]
    entity_set: ClassVar[str]
    change: ClassVar[Document]
    needs: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def small(self, world: World) -> World:
        """SAP with few records of this flow, and everything that they depend on already in Basware."""
        rows = world.sandboxes.sap.company.collection(self.entity_set)
        found = [key for key, row in rows.items() if self.wanted(row)][:KEPT]
        for key in set(rows.keys()) - set(found):
            rows.delete(key)
        self.trim(world)
        for name in self.needs:
            assert world.run(name).status == "succeeded"
        return world

    @pytest.fixture
    def sent(self, small: World) -> World:
        """The same after the first run."""
        assert small.run(self.flow).status == "succeeded"
        small.quiet()
        return small

    def trim(self, world: World) -> None:
        """What else SAP need not hold."""

    def wanted(self, row: Document) -> bool:
        """Whether the flow takes this record of SAP's."""
        return True

    @property
    def declared(self) -> MasterDataFlow:
        found = registry.get(self.flow)
        assert isinstance(found, MasterDataFlow)
        return found

    def in_basware(self, world: World) -> dict[str, Document]:
        """What P2P holds of this flow."""
        return {code: body for name in POSTED_TO[self.flow] for code, body in world.basware(name).items()}

    def closed(self, body: Document) -> bool:
        return all(company["active"] is False for company in body["companies"])

    def key(self, world: World) -> Any:
        """One record's key as SAP has it."""
        return world.sandboxes.sap.company.collection(self.entity_set).keys()[3]

    def of(self, world: World) -> Record:
        """The record of that key."""
        return world.record(self.flow, str(self.key(world)))

    def test_the_first_run_sends_every_valid_record_and_all_are_confirmed(self, small):
        run = small.run(self.flow)
        assert run.status == "succeeded"
        assert run.counts == {
            **dict.fromkeys(run.COUNTS, 0), "read": KEPT, "sent": KEPT, "confirmed": KEPT, "created": KEPT
        }  # fmt: skip
        assert small.statuses(self.flow) == {"done"}
        assert {record.stage for record in small.records(self.flow)} == {"confirmed"}

    def test_basware_holds_what_each_record_says_was_confirmed(self, sent):
        wanted = {
            body["externalCode"] for record in sent.records(self.flow) for body in bodies(record.confirmed_target)
        }
        assert set(self.in_basware(sent)) == wanted

    @pytest.mark.parametrize("mode", ["incremental", "full"])
    def test_a_second_run_sends_nothing(self, sent, mode):
        run = sent.run(self.flow, mode)
        assert (run.status, run.sent, run.confirmed) == ("succeeded", 0, 0)
        assert sent.posts(self.flow) == []

    @pytest.mark.parametrize("mode", ["incremental", "full"])
    def test_a_changed_record_is_sent_alone(self, sent, mode):
        before = {record.key: record.confirmed_fingerprint for record in sent.records(self.flow)}
        sent.change(self.entity_set, self.key(sent), **self.change)
        run = sent.run(self.flow, mode)
        assert (run.status, run.sent, run.updated, run.confirmed) == ("succeeded", 1, 1, 1)
        after = {record.key: record.confirmed_fingerprint for record in sent.records(self.flow)}
        assert [key for key in after if after[key] != before[key]] == [str(self.key(sent))]
        assert len({body.get("orderExternalCode", body["externalCode"]) for body in sent.sent(self.flow)}) == 1

    def test_the_change_arrives_in_basware(self, sent):
        sent.change(self.entity_set, self.key(sent), **self.change)
        sent.run(self.flow)
        text = next(iter(self.change.values()))
        assert text in json.dumps(list(self.in_basware(sent).values()), ensure_ascii=False)

    def test_a_removed_record_is_closed_by_the_next_full_run(self, sent):
        gone = self.of(sent)
        sent.remove(self.entity_set, self.key(sent))
        run = sent.run(self.flow, "full")
        assert (run.status, run.sent, run.closed) == ("succeeded", 1, 1)
        gone = sent.again(gone)
        assert (gone.status, gone.active) == ("done", False)
        theirs = self.in_basware(sent)
        assert all(self.closed(theirs[body["externalCode"]]) for body in bodies(gone.confirmed_target))

    def test_what_was_closed_is_not_closed_again(self, sent):
        sent.remove(self.entity_set, self.key(sent))
        sent.run(self.flow, "full")
        sent.quiet()
        assert sent.run(self.flow, "full").counts["closed"] == 0
        assert sent.posts(self.flow) == []

    def test_many_absent_at_once_are_closed_only_after_a_person_said_yes(self, sent):
        for key in sent.sandboxes.sap.company.collection(self.entity_set).keys()[:MANY]:
            sent.remove(self.entity_set, key)
        held = sent.run(self.flow, "full")
        assert (held.status, held.error_code, held.closings_held) == ("partial", "closing_needs_approval", MANY)
        assert sent.posts(self.flow) == []
        confirmed = sent.finish(runs.confirm_closings(held, PERSON))
        assert (confirmed.status, confirmed.closed) == ("succeeded", MANY)
        assert sum(not record.active for record in sent.records(self.flow)) == MANY

    def test_a_dry_run_leaves_no_record_and_sends_nothing(self, small):
        run = small.run(self.flow, "dry_run")
        assert (run.status, run.read, run.sent) == ("succeeded", KEPT, 0)
        assert small.records(self.flow) == []
        assert small.posts(self.flow) == []
        assert run.result["counts"] == {"create": KEPT}
        assert run.plan.items.filter(action="create").count() == KEPT

    def test_resending_one_makes_basware_take_it_again(self, sent):
        replay.resend(self.of(sent), PERSON, "P2P lost it")
        sent.work()
        record = self.of(sent)
        assert (record.status, record.resend_mark) == ("done", 1)
        field = self.declared.resend_field
        assert all("r1" in json.dumps(body[field]) for body in bodies(record.confirmed_target))
        assert len(sent.posts(self.flow)) == len(self.declared.parts)


class TestPaymentTerms(ThroughTheEngine):
    flow = "payment_terms"
    entity_set = "PaymentTermsTypes"
    change = {"PaymentTermsGroupName": "A fortnight"}

    @pytest.fixture
    def small(self, world):
        """The data set has twelve terms: two more of the same kind."""
        for number in (91, 92):
            world.change("PaymentTermsTypes", number, PaymentTermsGroupName=f"Net {number}")
        return world


class TestTaxCodes(ThroughTheEngine):
    flow = "tax_codes"
    entity_set = "VatGroups"
    change = {"Name": "Input tax, renamed"}

    @pytest.fixture
    def small(self, world):
        """Fourteen groups of input tax and nothing else."""
        rows = world.sandboxes.sap.company.collection(self.entity_set)
        pattern = next(row for row in rows.values() if row["Category"] == "bovcInputTax" and row["Inactive"] == "tNO")
        rows.clear()
        rows.fill((f"T{number}", {**pattern, "Code": f"T{number}"}) for number in range(10, 10 + KEPT))
        return world


class TestGlAccounts(ThroughTheEngine):
    flow = "gl_accounts"
    entity_set = "ChartOfAccounts"
    change = {"Name": "Office supplies, renamed"}

    def wanted(self, row):
        return row["ActiveAccount"] == "tYES" and row["LockManualTransaction"] == "tNO"


class TestCostCenters(ThroughTheEngine):
    flow = "cost_centers"
    entity_set = "ProfitCenters"
    change = {"CenterName": "Warehouse, renamed"}

    def wanted(self, row):
        return row["InWhichDimension"] == 1 and row["Active"] == "tYES" and not row.get("EffectiveTo")


class TestProjects(ThroughTheEngine):
    flow = "projects"
    entity_set = "Projects"
    change = {"Name": "New paper machine, renamed"}

    def closed(self, body):
        return body["active"] is False if "active" in body else all(not one["active"] for one in body["companies"])


class TestVendors(ThroughTheEngine):
    flow = "vendors"
    entity_set = "BusinessPartners"
    change = {"CardName": "Renamed Oy"}
    needs = ("payment_terms",)

    def wanted(self, row):
        return row["CardType"] == "cSupplier"

    def closed(self, body):
        return body["processingStatus"]["active"] is False


class TestPurchaseOrders(ThroughTheEngine):
    flow = "purchase_orders"
    entity_set = "PurchaseOrders"
    change = {"Comments": "Deliver to gate 7"}
    needs = ("payment_terms", "tax_codes", "gl_accounts", "cost_centers", "projects", "vendors")

    def trim(self, world):
        ordered_from = {order["CardCode"] for order in world.sap("PurchaseOrders")}
        partners = world.sandboxes.sap.company.collection("BusinessPartners")
        for code in set(partners.keys()) - ordered_from:
            partners.delete(code)

    def wanted(self, row):
        return row["DocumentStatus"] == "bost_Open" and row["CancelStatus"] == "csNo"

    def closed(self, body):
        return body["isClosed"] is True
