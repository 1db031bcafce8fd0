"""The contract suites: every flow inherits one, gives its flow and some source records, and passes them all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

import pytest

from syncengine.connectors.basware.resources import check
from syncengine.flows import registry
from syncengine.flows.base import Flow
from syncengine.flows.company import FlowContext, Known, Payload
from syncengine.flows.master import Built, MasterDataFlow, ReadWindow
from syncengine.mapping import compile_rules, fingerprint
from tests.flows.world import FakeSap, context

Record = dict[str, Any]


def build(flow: MasterDataFlow, source: Record, ctx: FlowContext | None = None) -> Built:
    """The record by the flow's own default rules."""
    return flow.build(source, compile_rules(flow.default_rules()), ctx or context())


def body(flow: MasterDataFlow, source: Record, ctx: FlowContext | None = None) -> Record:
    """The one body of a flow with one part; the record must be without problems."""
    built = build(flow, source, ctx)
    assert not built.problems, built.problems
    return built.payload[flow.parts[0].name][0]


def bodies(payload: Payload) -> list[Record]:
    return [found for part in payload.values() for found in part]


def external_codes(value: Any) -> list[str]:
    """Every external code in a payload, however deep, without references to others."""
    if isinstance(value, list):
        return [code for item in value for code in external_codes(item)]
    if not isinstance(value, Mapping):
        return []
    own = [value["externalCode"]] if "externalCode" in value else []
    return own + [code for item in value.values() for code in external_codes(item)]


class FlowContract:
    """What any flow promises. `flow` is set by the suite of each flow."""

    flow: ClassVar[Flow]

    def test_it_is_found_under_its_name(self):
        assert type(registry.get(self.flow.name)) is type(self.flow)

    def test_its_name_can_stand_in_an_address_and_its_title_before_people(self):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", self.flow.name)
        assert self.flow.title[0].isupper()

    def test_it_goes_from_one_system_to_the_other(self):
        assert {self.flow.source, self.flow.target} == {"sap_b1", "basware"}

    def test_its_default_rules_compile_with_its_own_tables(self):
        compile_rules(self.flow.default_rules(), lookups=set(self.flow.default_lookups()))

    def test_its_default_rules_are_a_copy_for_each_customer(self):
        self.flow.default_rules()[0]["target"] = "changed"
        assert self.flow.default_rules()[0]["target"] != "changed"


class MasterDataContract(FlowContract):
    """What every flow of master data promises besides. `sources` are records in scope, `table` their entity set."""

    flow: ClassVar[MasterDataFlow]
    sources: ClassVar[list[Record]]
    more_tables: ClassVar[dict[str, list[Record]]] = {}

    @pytest.fixture
    def sap(self) -> FakeSap:
        return FakeSap(**{self.flow.entity_set: deepcopy(self.sources), **deepcopy(self.more_tables)})

    @pytest.fixture
    def records(self, sap: FakeSap) -> list[Record]:
        """The records as the flow itself reads them."""
        pages = self.flow.pages(sap, ReadWindow(), context())
        return [record for page in pages for record in page.records]

    def test_its_default_rules_fill_only_fields_that_basware_takes(self):
        compile_rules(self.flow.default_rules(), targets=self.flow.targets())

    def test_a_full_read_finds_every_record_in_scope(self, records: list[Record]):
        assert len(records) == len(self.sources)
        assert all(self.flow.in_scope(record, context()) for record in records)

    def test_its_keys_are_unique_short_texts(self, records: list[Record]):
        keys = [self.flow.key(record) for record in records]
        assert len(set(keys)) == len(keys)
        assert all(isinstance(key, str) and 0 < len(key) <= 120 for key in keys)

    def test_its_records_are_found_again_by_their_keys(self, sap: FakeSap, records: list[Record]):
        found = self.flow.by_keys(sap, [self.flow.key(record) for record in records], context())
        assert sorted(map(repr, found)) == sorted(map(repr, records))

    def test_keys_that_are_gone_are_missing(self, sap: FakeSap):
        gone = "999999" if self.flow.key_field in {"DocEntry", "GroupNumber"} else "gone"
        assert self.flow.by_keys(sap, [gone], context()) == []
        assert self.flow.by_keys(sap, [], context()) == []

    def test_a_read_goes_on_behind_the_cursor_of_any_page(self, sap: FakeSap, records: list[Record]):
        pages = list(self.flow.pages(sap, ReadWindow(), context()))
        rest = self.flow.pages(sap, ReadWindow(after=pages[0].cursor), context())
        later = [record for page in rest for record in page.records]
        assert later == records[len(pages[0].records) :]

    def test_every_record_has_a_title_and_texts_to_search(self, records: list[Record]):
        for record in records:
            assert 0 < len(self.flow.label(record)) <= 250
            assert isinstance(self.flow.search_terms(record), str)
            assert isinstance(self.flow.reference(record), str)
            assert isinstance(self.flow.party(record), str)

    def test_its_payloads_pass_the_check_of_the_target(self, records: list[Record]):
        for record in records:
            built = build(self.flow, record)
            assert not built.problems
            for part in self.flow.parts:
                assert built.payload[part.name]
                assert [found for one in built.payload[part.name] for found in check(part.resource, one)] == []

    def test_it_is_deterministic_and_leaves_its_source_alone(self, records: list[Record]):
        for record in records:
            untouched = deepcopy(record)
            first, second = build(self.flow, record), build(self.flow, record)
            assert fingerprint(first.payload) == fingerprint(second.payload)
            assert record == untouched

    def test_a_prepared_record_may_be_prepared_again(self, records: list[Record]):
        for record in records:
            built = build(self.flow, record)
            assert build(self.flow, built.source).payload == built.payload

    def test_a_record_that_was_sent_comes_out_the_same_next_time(self, records: list[Record]):
        for record in records:
            built = build(self.flow, record)
            known = Known(sent=built.payload, confirmed=built.payload, source=built.source)
            ctx = context(known={self.flow.key(record): known})
            again = build(self.flow, record, ctx)
            assert again.payload == built.payload
            assert self.flow.hold(again, ctx).payload == built.payload

    def test_its_external_codes_are_unique_and_short(self, records: list[Record]):
        codes = [code for record in records for code in external_codes(build(self.flow, record).payload)]
        assert len(set(codes)) == len(codes)
        assert all(0 < len(code) <= 36 for code in codes)

    def test_its_external_codes_differ_between_companies(self, records: list[Record]):
        here = external_codes(build(self.flow, records[0]).payload)
        there = external_codes(build(self.flow, records[0], context(company="2000")).payload)
        assert not set(here) & set(there)

    def test_a_long_company_code_keeps_external_codes_short(self, records: list[Record]):
        ctx = context(company="A-COMPANY-WITH-A-LONG-ID")
        assert all(len(code) <= 36 for code in external_codes(build(self.flow, records[0], ctx).payload))

    def test_every_required_target_without_a_value_is_a_problem(self, records: list[Record]):
        required = {rule["target"] for rule in self.flow.default_rules() if rule.get("required")}
        rules = [{**rule, "source": "nosuch"} for rule in self.flow.default_rules()]
        built = self.flow.build(records[0], compile_rules(rules), context())
        assert required <= {re.sub(r"\[\d+\]", "[]", problem.path) for problem in built.problems}

    def test_no_optional_field_is_sent_empty(self, records: list[Record]):
        def empties(value: Any) -> list[Any]:
            items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else []
            return [value] * (value is None or value in ("", [], {})) + [e for item in items for e in empties(item)]

        for record in records:
            assert [found for one in bodies(build(self.flow, record).payload) for found in empties(one)] == []

    def test_leaving_sends_it_once_more_as_closed(self, records: list[Record]):
        for record in records:
            last = build(self.flow, record).payload
            untouched = deepcopy(last)
            left = self.flow.left(last, context())
            assert last == untouched
            assert not self.flow.problems(left)
            assert all(self.is_closed(one) for one in bodies(left))

    def test_a_record_in_use_is_changed_by_leaving(self, records: list[Record]):
        last = build(self.flow, records[0]).payload
        assert fingerprint(self.flow.left(last, context())) != fingerprint(last)

    def test_leaving_twice_changes_nothing_more(self, records: list[Record]):
        left = self.flow.left(build(self.flow, records[0]).payload, context())
        assert self.flow.left(left, context()) == left

    def is_closed(self, sent: Record) -> bool:
        """How this flow's bodies say that they are closed."""
        return all(company["active"] is False for company in sent["companies"])

    def test_resending_changes_the_payload_and_nothing_that_matters(self, records: list[Record]):
        last = build(self.flow, records[0]).payload
        marked = self.flow.resend(last, "r1")
        assert fingerprint(marked) != fingerprint(last)
        assert fingerprint(self.flow.resend(last, "r2")) != fingerprint(marked)
        assert not self.flow.problems(marked)
        assert external_codes(marked) == external_codes(last)

    def test_every_part_carries_the_revision_mark(self, records: list[Record]):
        marked = self.flow.resend(build(self.flow, records[0]).payload, "r7")
        assert all("r7" in str(one[self.flow.resend_field]) for one in bodies(marked))

    def test_its_resend_field_is_one_that_a_customer_may_name(self):
        assert self.flow.resend_field in self.flow.resend_fields()

    def test_without_a_resend_field_nothing_is_marked(self, records: list[Record]):
        last = build(self.flow, records[0]).payload
        assert self.flow.resend(last, "r1", None) == last
        assert self.flow.resend(last, "r1", "nosuch") == last
        assert self.flow.resend(last, "r1", "externalCode") == last

    def test_its_dependencies_are_flows_it_names_and_come_before_it(self, records: list[Record]):
        order = list(registry.flows())
        for name, key in self.flow.dependencies(build(self.flow, records[0]).payload):
            assert name in self.flow.depends_on
            assert order.index(name) < order.index(self.flow.name)
            assert key

    def test_its_parts_go_in_order(self, records: list[Record]):
        payload = build(self.flow, records[0]).payload
        names: list[str] = [""]
        while part := self.flow.part_after(names[-1], payload):
            names.append(part.name)
        assert names[1:] == [part.name for part in self.flow.parts]

    def test_its_edges_are_days(self, records: list[Record]):
        assert all(isinstance(edge, date) for record in records for edge in self.flow.edges(record))

    def test_a_window_edge_is_the_only_day_on_which_the_payload_changes_by_itself(self, records: list[Record]):
        for record in records:
            for edge in self.flow.edges(record):
                day_after = replace(context(), today=edge)
                assert fingerprint(build(self.flow, record, day_after).payload)
