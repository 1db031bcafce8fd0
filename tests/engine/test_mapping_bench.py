"""A mapping tried on records at hand: origins, samples, cases, unmapped values, versions, going live."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.engine import flow_states, mapping_cases, mapping_versions, mappings, previews, samples, unmapped
from syncengine.engine.mapping_cases import Change, changes
from syncengine.engine.trials import output_of, try_out
from syncengine.flows import registry
from syncengine.mapping import Maker
from syncengine.models import AuditEvent, FlowState, PostedDocument
from tenants.errors import Refused
from tenants.models.field_mapping import MappingCase
from tests import factories

ACTOR = "admin@nordic-paper.example.com"
INVOICES = registry.get("invoices")
DOCUMENT = {
    "invoiceId": "a" * 32,
    "invoiceNumber": "RE-4711",
    "supplierCode": "V10000",
    "invoiceDate": "2026-05-04T00:00:00Z",
    "currencyCode": "EUR",
    "description": "Paper",
    "taxCode": "V25",
    "codingRows": [{"rowIndex": 2, "accountCode": "4020"}, {"rowIndex": 1, "accountCode": "4010"}],
}


def with_rule(target, source, **more):
    """The default rules of invoices with one of them changed."""
    rules = [rule for rule in INVOICES.default_rules() if rule["target"] != target]
    return mappings.with_rules(INVOICES, [*rules, {"target": target, "source": source, **more}], TABLES)


TABLES = {"payment_terms": {}, "tax_codes": {}, "branches": {}, "charges": {}}


@pytest.fixture
def in_force(integration):
    return mappings.current(integration, "invoices")


@pytest.fixture
def posted(integration):
    """An invoice that was posted by the mapping in force."""
    record = factories.invoice(integration, status="done", title="RE-4000", source=DOCUMENT)
    PostedDocument.objects.create(
        integration=integration, record=record, company="c", entity_set="PurchaseInvoices", doc_entry=record.pk,
        doc_num=1, invoice_id=record.key, card_code="V10000", num_at_card="RE-4000",
    )  # fmt: skip
    return record


DEEP = '{"title": "x", "source": {"a": ' + "[" * 300 + "]" * 300 + "}}"


class TestTrials:
    def test_every_rule_tells_what_it_made_row_by_row(self, in_force):
        trial = try_out(INVOICES, DOCUMENT, in_force)
        assert [origin.value for origin in trial.of_target("DocumentLines[].AccountCode")] == ["4010", "4020"]
        assert trial.of_target("DocDate")[0].maker == Maker.NOTHING
        assert trial.target == output_of(INVOICES, DOCUMENT, in_force)
        assert {(looked.table, looked.value) for looked in trial.missed} == {("tax_codes", "V25")}

    def test_what_the_target_would_refuse_is_a_problem_too(self, integration):
        vendors = registry.get("vendors")
        trial = try_out(vendors, {"CardCode": "V1", "derived": {}}, mappings.current(integration, "vendors"))
        paths = {problem.path for problem in trial.problems}
        assert {"externalCode", "companies"} <= paths
        assert len(paths) == len(trial.problems)

    def test_a_flow_of_several_parts_is_checked_part_by_part(self, integration):
        orders = registry.get("purchase_orders")
        source = {"DocEntry": 1, "DocumentLines": [], "derived": {"lines": []}}
        trial = try_out(orders, source, mappings.current(integration, "purchase_orders"))
        assert "header.externalCode" in {problem.path for problem in trial.problems}


class TestSamples:
    def test_a_stored_record_is_found_by_key_number_or_id(self, integration):
        record = factories.invoice(integration, reference="RE-4711", source=DOCUMENT)
        for asked in ({"asked": record.key}, {"asked": "RE-4711"}, {"pk": record.pk}, {}):
            assert samples.stored(integration, "invoices", **asked).record == record.pk
        assert samples.stored(integration, "invoices", asked="RE") is None
        assert [one.pk for one in samples.offered(integration, "invoices")] == [record.pk]

    def test_a_record_of_another_integration_is_none_of_ours(self, integration):
        other = factories.invoice(factories.IntegrationFactory(), source=DOCUMENT)
        assert samples.stored(integration, "invoices", pk=other.pk) is None

    def test_a_record_read_just_now_goes_to_the_browser_and_comes_back(self, integration, monkeypatch):
        found = {"source": {"sum": Decimal("10.10")}, "target": {}, "problems": [{"path": "x", "message": "bad"}]}
        monkeypatch.setattr(previews, "preview", lambda *args, **kwargs: found)
        sample = samples.read_now(integration, "invoices", "RE-1")
        assert samples.of_text(sample.as_text()) == samples.Sample("RE-1", {"sum": Decimal("10.10")})
        assert sample.problems

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '{"title": "x"}', '{"title": 1, "source": []}', "1" * 500_000, DEEP]
    )
    def test_what_is_no_sample_of_ours_is_none(self, text):
        assert samples.of_text(text) is None

    def test_a_payment_is_shown_with_the_document_that_it_pays(self, integration):
        factories.invoice(integration, key="b" * 32, source=DOCUMENT)
        source = {"DocEntry": 7, "invoice_id": "b" * 32, "TransferSum": Decimal(10)}
        payment = factories.RecordFactory(integration=integration, flow="payments", source=source)
        shown = samples.rules_source(payment)
        assert shown["document"]["invoiceNumber"] == "RE-4711"
        assert "means" in shown["derived"]

    def test_every_value_has_the_path_by_which_a_rule_finds_it(self, integration):
        source = {"a": {"b-c": 1}, "rows": [{"x": None}, {"x": "y"}], "text": "t" * 200, "empty": []}
        leaves = {leaf.path: leaf.shown for leaf in samples.leaves(source)}
        assert leaves['a."b-c"'] == "1"
        assert leaves["rows[1].x"] == "y"
        assert len(leaves["text"]) == samples.LONGEST_SHOWN
        rules = [{"target": f"t{number}", "source": path} for number, path in enumerate(leaves)]
        assert mappings.mapping.compile_rules(rules).apply(source).target["t0"] == 1

    def test_a_hostile_record_is_shown_in_part(self):
        deep: dict[str, object] = {}
        for _ in range(2000):
            deep = {"x": deep}
        assert samples.leaves(deep) == []
        assert len(samples.leaves({str(number): number for number in range(9000)})) == samples.MOST_PATHS

    def test_rules_of_rows_have_values_of_their_own(self):
        groups = samples.groups("invoices", DOCUMENT)
        assert "document.invoiceNumber" in [leaf.path for leaf in groups["DocumentLines"]]


class TestCases:
    def keep(self, integration, in_force, name="May"):
        return mapping_cases.keep(integration, "invoices", name, samples.Sample("x", DOCUMENT), in_force, ACTOR)

    def test_a_case_holds_as_long_as_its_output_stays(self, integration, in_force):
        self.keep(integration, in_force)
        assert mapping_cases.check_cases(integration, "invoices", in_force).differences == []
        found = mapping_cases.check_cases(integration, "invoices", with_rule("Comments", "supplierCode"))
        assert [difference.changes for difference in found.differences] == [(Change("Comments", "Paper", "V10000"),)]
        assert AuditEvent.objects.get().action == "mapping.case_kept"

    def test_a_yes_makes_the_new_output_the_expected_one(self, integration, in_force):
        self.keep(integration, in_force)
        new = with_rule("Comments", "supplierCode")
        mapping_cases.expect_anew(mapping_cases.check(integration, "invoices", in_force, new), new)
        assert mapping_cases.check_cases(integration, "invoices", new).differences == []

    def test_names_are_given_once_and_their_number_is_bounded(self, integration, in_force, monkeypatch):
        self.keep(integration, in_force)
        with pytest.raises(Refused, match="called May already"):
            self.keep(integration, in_force)
        monkeypatch.setattr(mapping_cases, "MOST_CASES", 1)
        with pytest.raises(Refused, match="1 cases"):
            self.keep(integration, in_force, "June")

    def test_a_case_is_forgotten_by_name(self, integration, in_force):
        mapping_cases.remove(self.keep(integration, in_force), ACTOR)
        assert not MappingCase.objects.exists()
        assert AuditEvent.objects.last().data["case"] == "May"

    def test_posted_documents_are_compared_and_only_those(self, integration, in_force, posted):
        factories.invoice(integration, key="z", status="failed", source=DOCUMENT)
        found = mapping_cases.check(integration, "invoices", in_force, with_rule("NumAtCard", "upper('x')"))
        assert (found.past, found.names, found.complete) == (1, ["RE-4000"], True)
        assert found.differences[0].record == posted.pk

    def test_a_check_ends_when_its_time_is_up_and_says_so(self, integration, in_force, posted, monkeypatch):
        monkeypatch.setattr(mapping_cases, "SECONDS", -1)
        assert not mapping_cases.check(integration, "invoices", in_force, in_force).complete
        self.keep(integration, in_force)
        assert not mapping_cases.check_cases(integration, "invoices", in_force).complete
        assert not mapping_cases.check(integration, "invoices", in_force, in_force).complete

    @pytest.mark.parametrize(
        ("before", "after", "paths"),
        [
            ({"a": 1}, {"a": Decimal("1.00")}, []),
            ({"a": 1}, {"a": True}, ["a"]),
            ({"a": {"b": 1}}, {"a": {}}, ["a.b"]),
            ({"a": [1, 2]}, {"a": [1, 3, 4]}, ["a[1]", "a[2]"]),
            ({"a": [{"b": 1}]}, {"a": None}, ["a"]),
        ],
    )
    def test_differences_are_told_leaf_by_leaf(self, before, after, paths):
        assert [change.path for change in changes(before, after)] == paths


class TestUnmapped:
    def failed(self, integration, key, amount, currency="EUR", **more):
        message = {"error_message": "tax code V25 does not exist in SAP", "error_code": "problems"}
        given = {"status": "failed", "source": DOCUMENT, **message, **more}
        return factories.invoice(integration, key=key, amount=Decimal(amount), currency=currency, **given)

    def test_values_are_listed_by_the_money_that_waits(self, integration, in_force):
        self.failed(integration, "1", "100")
        self.failed(integration, "2", "-50.5")
        self.failed(integration, "3", "9000", "SEK")
        hint = "Add account 6510 to the lookup table charges with SAP's expense code, then press replay."
        self.failed(integration, "4", "20000", error_message="no charge", error_hint=hint)
        first, second = unmapped.waiting(integration, "invoices", in_force).values
        assert (first.table, first.value) == ("charges", "6510")
        assert (second.table, second.value, second.records) == ("tax_codes", "V25", 3)
        assert second.sums == {"EUR": Decimal("150.5"), "SEK": Decimal(9000)}

    def test_a_value_that_no_problem_names_is_not_what_they_wait_for(self, integration, in_force):
        self.failed(integration, "1", "100", error_message="account 4010 is frozen in SAP")
        assert unmapped.waiting(integration, "invoices", in_force).values == []

    def test_a_row_that_is_there_by_now_waits_no_more(self, integration):
        self.failed(integration, "1", "100")
        rules = INVOICES.default_rules()
        mapped = mappings.with_rules(INVOICES, rules, {**TABLES, "tax_codes": {"V25": "S1"}})
        assert unmapped.waiting(integration, "invoices", mapped).values == []

    def test_more_than_can_be_looked_at_is_said(self, integration, in_force, monkeypatch):
        self.failed(integration, "1", "100")
        self.failed(integration, "2", "100")
        monkeypatch.setattr(unmapped, "MOST_RECORDS", 1)
        found = unmapped.waiting(integration, "invoices", in_force)
        assert (found.looked_at, found.complete) == (1, False)


class TestVersions:
    def test_two_versions_differ_rule_by_rule_and_row_by_row(self, in_force):
        rules = [rule for rule in in_force.rules if rule["target"] != "Comments"]
        changed = [{**rules[0], "default": "V0"}, *rules[1:]]
        new = mappings.with_rules(INVOICES, changed, {**TABLES, "tax_codes": {"V25": "S1"}})
        assert {step.where: (step.before, step.after) for step in mapping_versions.steps(in_force, new)} == {
            "CardCode": ("supplierCode, required", 'supplierCode, else "V0", required'),
            "Comments": ("description", ""),
            "table tax_codes: V25": ("", "S1"),
        }
        assert mapping_versions.steps(new, new) == []


class TestGoingLive:
    RULES = ({"target": "vendorCode", "source": "CardCode"},)

    def test_an_incomplete_mapping_may_be_saved_but_not_run_by_itself(self, integration):
        mappings.save(integration, "vendors", self.RULES, {}, ACTOR)
        with pytest.raises(Refused, match="no rule fills externalCode, name, companies") as refused:
            flow_states.apply(integration, {"vendors": {"schedule": "0 2 * * *"}}, ACTOR)
        assert [error.field for error in refused.value.errors] == ["flows.vendors.schedule"]
        assert not FlowState.objects.filter(flow="vendors", schedule__isnull=False).exists()

    def test_it_is_refused_when_the_switch_is_what_makes_it_live(self, integration):
        flow_states.apply(integration, {"vendors": {"enabled": False, "full_schedule": "0 2 * * *"}}, ACTOR)
        mappings.save(integration, "vendors", self.RULES, {}, ACTOR)
        with pytest.raises(Refused) as refused:
            flow_states.apply(integration, {"vendors": {"enabled": True}}, ACTOR)
        assert refused.value.errors[0].field == "flows.vendors.enabled"

    def test_a_flow_that_is_live_already_may_be_changed_and_switched_off(self, integration):
        flow_states.apply(integration, {"vendors": {"schedule": "0 2 * * *"}}, ACTOR)
        assert flow_states.is_live(integration, "vendors")
        mappings.save(integration, "vendors", self.RULES, {}, ACTOR)
        flow_states.apply(integration, {"vendors": {"schedule": "0 3 * * *"}}, ACTOR)
        flow_states.apply(integration, {"vendors": {"enabled": False}}, ACTOR)
        assert not flow_states.is_live(integration, "vendors")

    def test_by_hand_it_may_be_run_all_the_same(self, integration):
        mappings.save(integration, "vendors", self.RULES, {}, ACTOR)
        flow_states.apply(integration, {"vendors": {"enabled": True, "schedule": None}}, ACTOR)
        assert not flow_states.is_live(integration, "vendors")
        assert not flow_states.is_live(integration, "projects")


def test_a_yes_is_kept_in_the_audit_with_its_name(integration):
    mappings.save(integration, "invoices", INVOICES.default_rules(), {}, ACTOR, accepted=["RE-4000"])
    assert AuditEvent.objects.get().data == {
        "flow": "invoices",
        "version": 1,
        "accepted_by": ACTOR,
        "accepted": ["RE-4000"],
    }


def test_a_table_never_holds_what_the_database_cannot_keep(integration):
    with pytest.raises(Refused):
        mappings.save(integration, "invoices", INVOICES.default_rules(), {"charges": {"a\0": "b"}}, ACTOR)
