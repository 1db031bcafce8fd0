"""What keeps a change of the mapping from doing harm: completeness before going live, a named yes to what differs."""

from __future__ import annotations

import pytest

from syncengine.engine import flow_states, mappings
from syncengine.flows import registry
from syncengine.models import AuditEvent, PostedDocument
from tenants.models import FieldMapping
from tests import factories
from tests.portal.views.test_mappings import RULES, posted

TABLES = [{"name": name, "lines": ""} for name in ("payment_terms", "tax_codes", "branches", "charges")]


class TestIncomplete:
    """A mapping that leaves out what the target must have."""

    def test_it_is_kept_with_a_warning_while_the_flow_sleeps(self, root, people):
        page = people["admin"].post(f"{root}mappings/vendors/", posted(RULES), follow=True).content.decode()
        assert "Incomplete: no rule fills externalCode, companies." in page
        assert FieldMapping.objects.exists()

    def test_it_is_refused_under_a_flow_that_runs_by_itself(self, root, connected, people):
        flow_states.apply(connected, {"vendors": {"schedule": "0 2 * * *"}}, "owner@example.com")
        answer = people["admin"].post(f"{root}mappings/vendors/", posted(RULES))
        assert answer.status_code == 400
        assert "Not saved: no rule fills externalCode, companies" in answer.content.decode()
        assert not FieldMapping.objects.exists()

    def test_the_flow_cannot_be_switched_on_and_the_page_says_which_fields(self, root, connected, people):
        off = {"enabled": False, "schedule": "0 2 * * *"}
        flow_states.apply(connected, {"vendors": off}, "owner@example.com")
        mappings.save(connected, "vendors", RULES, {}, "owner@example.com")
        toggle = people["admin"].post(f"{root}flows/vendors/toggle/", {"enabled": "true"}, follow=True)
        assert "no rule fills externalCode, companies" in toggle.content.decode()
        saved = people["admin"].post(f"{root}flows/vendors/", {"enabled": "on", "schedule": "0 2 * * *"})
        assert "no rule fills externalCode, companies" in saved.content.decode()
        assert not flow_states.is_live(connected, "vendors")


class TestTheNamedYes:
    """What changes a case or a posted invoice is saved only when somebody agrees by name."""

    SOURCE = {"invoiceId": "a", "supplierCode": "V1", "invoiceNumber": "RE-1", "description": "Paper <i>"}

    @pytest.fixture
    def posted_invoice(self, connected):
        record = factories.invoice(connected, status="done", title="RE-1 Nordic", source=self.SOURCE)
        return PostedDocument.objects.create(
            integration=connected, record=record, company="c", entity_set="PurchaseInvoices", doc_entry=1,
            doc_num=1, invoice_id="a", card_code="V1", num_at_card="RE-1",
        )  # fmt: skip

    def changed(self, **more):
        rules = [rule for rule in registry.get("invoices").default_rules() if rule["target"] != "Comments"]
        return posted([*rules, {"target": "Comments", "source": "upper(description)"}], TABLES, **more)

    def test_it_is_shown_agreed_to_and_kept_in_the_audit(self, root, people, posted_invoice, admin):
        address = f"{root}mappings/invoices/"
        asked = people["admin"].post(address, self.changed())
        page = asked.content.decode()
        assert asked.status_code == 400
        assert "RE-1 Nordic" in page
        assert "PAPER &lt;I&gt;" in page
        assert admin.email in page
        assert not FieldMapping.objects.exists()
        assert people["admin"].post(address, self.changed(agreed=asked.context["signature"])).status_code == 302
        assert AuditEvent.objects.get(action="mapping.saved").data["accepted_by"] == admin.email

    def test_a_yes_to_other_differences_does_not_count(self, root, people, posted_invoice):
        answer = people["admin"].post(f"{root}mappings/invoices/", self.changed(agreed="0" * 64))
        assert answer.status_code == 400
        assert not FieldMapping.objects.exists()

    def test_what_changes_nothing_asks_nothing(self, root, people, posted_invoice):
        rules = registry.get("invoices").default_rules()
        assert people["admin"].post(f"{root}mappings/invoices/", posted(rules, TABLES)).status_code == 302
