"""GL accounts as default-mapping.md has them, sentence by sentence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from syncengine.flows.gl_accounts import GlAccounts
from syncengine.flows.master import ReadWindow
from tests.flows.contract import MasterDataContract, body, build
from tests.flows.world import FakeSap, account, context, vat_group

FLOW = GlAccounts()


class TestGlAccountsKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [
        account(),
        account(Code="_SYS00000000004", FormatCode="6100-01-02", Name="R", DefaultVatGroup="I255"),
        account(Code="6200", ValidFor="tYES", ValidFrom="2026-01-01", ValidTo="2026-12-31"),
    ]
    more_tables = {"VatGroups": [vat_group()]}


def test_an_account_goes_field_by_field():
    assert body(FLOW, account()) == {
        "externalCode": "1000-GL-6000",
        "accountCode": "6000",
        "accountNames": [{"language": "en-US", "translation": "Office supplies"}],
        "companies": [{"companyCode": "1000", "inherit": True, "active": True}],
    }


def test_a_segmented_account_goes_by_its_code_with_the_format_code_for_people():
    segmented = account(Code="_SYS00000000004", FormatCode="6100-01-02")
    sent = body(FLOW, segmented)
    assert (sent["accountCode"], sent["text1"]) == ("_SYS00000000004", "6100-01-02")
    assert FLOW.label(segmented) == "6100-01-02 Office supplies"
    assert FLOW.search_terms(segmented) == "6100-01-02"


@pytest.mark.parametrize(
    ("changed", "active"),
    [
        ({}, True),
        ({"BlockManualPosting": "tYES"}, False),
        ({"FrozenFor": "tYES"}, False),
        ({"FrozenFor": "tYES", "FrozenFrom": "2026-12-01"}, True),
        ({"FrozenFor": "tYES", "FrozenTo": "2026-10-31"}, True),
        ({"ValidFor": "tYES", "ValidFrom": "2026-12-01"}, False),
        ({"ValidFor": "tYES", "ValidTo": "2026-11-20"}, True),
        ({"ValidFor": "tYES", "ValidTo": "2026-11-19"}, False),
        ({"ValidFor": "tNO", "ValidTo": "2026-11-19"}, True),
    ],
)
def test_an_account_is_active_when_it_can_be_posted_to_today(changed: dict[str, Any], active: bool):
    assert body(FLOW, account(**changed))["companies"][0]["active"] is active


@pytest.mark.parametrize("changed", [{"ActiveAccount": "tNO"}, {"LockManualTransaction": "tYES"}])
def test_titles_and_control_accounts_never_go(changed: dict[str, Any]):
    assert not FLOW.in_scope(account(**changed), context())
    sap = FakeSap(ChartOfAccounts=[account(**changed)], VatGroups=[])
    assert list(FLOW.pages(sap, ReadWindow(), context())) == []


def test_the_default_tax_code_goes_only_if_it_is_sent_itself():
    sap = FakeSap(
        ChartOfAccounts=[account(DefaultVatGroup="I255"), account(Code="6001", DefaultVatGroup="O255")],
        VatGroups=[vat_group(), vat_group(Code="O255", Category="bovcOutputTax")],
    )
    (page,) = FLOW.pages(sap, ReadWindow(), context())
    sent = [body(FLOW, record) for record in page.records]
    assert [one.get("taxCode") for one in sent] == ["I255", None]


def test_an_account_depends_on_its_tax_code():
    payload = build(FLOW, account(DefaultVatGroup="I255", TaxCodeGoes=True)).payload
    assert FLOW.dependencies(payload) == [("tax_codes", "I255")]
    assert FLOW.dependencies(build(FLOW, account()).payload) == []


def test_windows_are_edges():
    changed = account(ValidFor="tYES", ValidTo="2026-12-31", FrozenFor="tYES", FrozenFrom="2026-12-01")
    assert FLOW.edges(changed) == [date(2026, 12, 1), date(2027, 1, 1)]


def test_accounts_are_read_whole_at_every_run():
    sap = FakeSap(ChartOfAccounts=[account()], VatGroups=[])
    assert not FLOW.incremental
    (page,) = FLOW.pages(sap, ReadWindow("incremental", date(2026, 11, 1)), context())
    assert len(page.records) == 1


def test_a_resend_marks_text5():
    marked = FLOW.resend(build(FLOW, account()).payload, "r1")
    assert marked["record"][0]["text5"] == "r1"


def test_a_customer_may_name_another_resend_field_which_keeps_its_text():
    payload = build(FLOW, account(Code="_SYS1", FormatCode="6100-01")).payload
    assert FLOW.resend(payload, "r1", "text1")["record"][0]["text1"] == "6100-01 r1"


def test_a_mark_never_makes_a_field_too_long():
    payload = {"record": [{"text5": "x" * 250}]}
    assert len(FLOW.resend(payload, "r12")["record"][0]["text5"]) == 250


def test_the_fields_that_may_be_marked_are_texts_and_names():
    assert FLOW.resend_fields() == {"accountNames", "taxCode", "text1", "text2", "text3", "text4", "text5"}
