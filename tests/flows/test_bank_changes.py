"""A changed bank account, and a code that became another vendor, wait for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncengine.flows.bank_changes import accounts
from syncengine.flows.company import FlowContext, Known
from syncengine.flows.master import Held
from syncengine.flows.vendors import Vendors
from tests.flows.contract import Record, build
from tests.flows.world import bank_account, context, vendor

FLOW = Vendors()
OTHER = bank_account(IBAN="SE45 5000 0000 0583 9825 7466", BankCode="SEB", BICSwiftCode="ESSESESS")


def confirmed(source: Record, **known: Any) -> Known:
    built = build(FLOW, source)
    return Known(**{"sent": built.payload, "confirmed": built.payload, "source": built.source, **known})


def hold(before: Record | None, now: Record, approved: frozenset[str] = frozenset(), **settings: Any) -> Held:
    known = {} if before is None else {"V10012": confirmed(before, approved=approved)}
    ctx = context(known=known, settings=settings)
    return FLOW.hold(build(FLOW, now, ctx), ctx)


def ibans(held: Held) -> list[str]:
    return [one["financialAccountIdentifiers"][0]["id"] for one in accounts(held.payload["record"][0])]


def test_a_new_vendor_goes_with_its_bank_accounts():
    held = hold(None, vendor())
    assert (held.flags, held.mark, ibans(held)) == (frozenset(), "", ["FI2112345600000785"])


def test_an_unchanged_bank_account_is_not_held():
    held = hold(vendor(), vendor(CardName="New name"))
    assert held.flags == frozenset()
    assert held.payload["record"][0]["name"] == "New name"


def test_a_changed_bank_account_waits_and_the_vendor_goes_with_the_confirmed_one():
    held = hold(vendor(), vendor(CardName="New name", BPBankAccounts=[OTHER]))
    assert held.flags == {"bank_change_held"}
    assert held.decisions == ("approve_bank_change",)
    assert held.problem is None
    assert ibans(held) == ["FI2112345600000785"]
    assert held.payload["record"][0]["name"] == "New name"


def test_an_added_bank_account_waits():
    assert ibans(hold(vendor(), vendor(BPBankAccounts=[bank_account(), OTHER]))) == ["FI2112345600000785"]


def test_the_first_bank_account_of_a_confirmed_vendor_waits_too():
    held = hold(vendor(BPBankAccounts=[]), vendor())
    assert held.flags == {"bank_change_held"}
    assert ibans(held) == []
    assert "financialAccounts" not in held.payload["record"][0]["paymentMeans"][0]


def test_a_removed_bank_account_waits():
    held = hold(vendor(), vendor(BPBankAccounts=[]))
    assert held.flags == {"bank_change_held"}
    assert ibans(held) == ["FI2112345600000785"]


def test_another_bank_behind_the_same_number_waits():
    assert hold(vendor(), vendor(BPBankAccounts=[bank_account(BICSwiftCode="ESSESESS")])).flags


def test_another_default_account_waits():
    both = vendor(BPBankAccounts=[bank_account(), OTHER])
    assert hold(both, vendor(BPBankAccounts=[OTHER, bank_account()])).flags == {"bank_change_held"}


def test_the_same_account_written_otherwise_is_no_change():
    assert not hold(vendor(), vendor(BPBankAccounts=[bank_account(IBAN="FI2112345600000785")])).flags


def test_what_is_held_passes_the_check_of_the_target():
    assert not FLOW.problems(hold(vendor(), vendor(BPBankAccounts=[OTHER])).payload)


def test_old_and_new_stand_side_by_side_and_masked():
    (change,) = hold(vendor(), vendor(BPBankAccounts=[OTHER])).changes
    assert change == {"old": ["IBAN •••• 0785 NDEAFIHH"], "new": ["IBAN •••• 7466 ESSESESS"]}


def test_no_full_number_is_in_what_people_are_shown():
    held = hold(vendor(), vendor(BPBankAccounts=[OTHER]))
    assert "FI21123456" not in repr(held.changes)
    assert "SE45500000" not in repr(held.changes)


def test_once_approved_the_new_account_goes():
    change = vendor(BPBankAccounts=[OTHER])
    mark = hold(vendor(), change).mark
    held = hold(vendor(), change, frozenset({mark}))
    assert held.flags == frozenset()
    assert ibans(held) == ["SE4550000000058398257466"]


def test_a_yes_to_one_change_is_no_yes_to_another():
    mark = hold(vendor(), vendor(BPBankAccounts=[OTHER])).mark
    third = vendor(BPBankAccounts=[bank_account(IBAN="DE89370400440532013000")])
    assert hold(vendor(), third, frozenset({mark})).flags == {"bank_change_held"}


def test_changing_back_is_a_change_of_its_own():
    there = hold(vendor(), vendor(BPBankAccounts=[OTHER])).mark
    assert hold(vendor(BPBankAccounts=[OTHER]), vendor(), frozenset({there})).flags == {"bank_change_held"}


def test_a_customer_may_let_bank_changes_through():
    held = hold(vendor(), vendor(BPBankAccounts=[OTHER]), hold_bank_changes=False)
    assert ibans(held) == ["SE4550000000058398257466"]


def test_the_currency_of_the_payment_means_is_no_bank_account():
    held = hold(vendor(), vendor(Currency="$"))
    assert held.flags == frozenset()
    assert held.payload["record"][0]["paymentMeans"][0]["currencyCode"] == "USD"


def test_a_vendor_whose_mapping_sends_no_payment_means_any_more_keeps_the_confirmed_one():
    known = {"V10012": confirmed(vendor())}
    ctx = context(known=known)
    built = build(FLOW, vendor(), ctx)
    body = {name: value for name, value in built.payload["record"][0].items() if name != "paymentMeans"}
    held = FLOW.hold(replace(built, payload={"record": [body]}), ctx)
    assert held.payload["record"][0]["paymentMeans"] == known["V10012"].confirmed["record"][0]["paymentMeans"]


# A code that became another vendor

REBORN = vendor(CreateDate="2026-11-19T00:00:00Z", CardName="Somebody Else Oy")


def test_a_code_whose_creation_date_changed_is_another_vendor_and_waits():
    held = hold(vendor(), REBORN)
    assert held.decisions == ("post", "close")
    assert held.problem is not None
    assert held.problem.code == "needs_decision"
    assert held.problem.message == (
        "V10012 was created on 2026-11-19 in SAP, the vendor in Basware on 2024-02-01: it is another vendor"
    )


def test_another_vendor_waits_even_where_bank_changes_go_through():
    assert hold(vendor(), REBORN, hold_bank_changes=False).problem is not None


def test_another_vendor_goes_on_waiting_at_the_next_run():
    ctx = context(known={"V10012": confirmed(vendor())})
    kept = build(FLOW, REBORN, ctx).source
    later = context(known={"V10012": replace(confirmed(vendor()), source=kept)})
    assert FLOW.hold(build(FLOW, REBORN, later), later).problem is not None


def test_another_vendor_goes_once_a_person_has_said_so_and_then_for_good():
    mark = hold(vendor(), REBORN).mark
    known = confirmed(vendor(), approved=frozenset({mark}))
    ctx: FlowContext = context(known={"V10012": known}, settings={"hold_bank_changes": False})
    built = build(FLOW, REBORN, ctx)
    assert FLOW.hold(built, ctx).problem is None
    later = context(known={"V10012": Known(built.payload, built.payload, built.source)})
    assert FLOW.hold(build(FLOW, REBORN, later), later).problem is None


@pytest.mark.parametrize("now", [None, "", "2024-02-01", "2024-02-01T08:00:00Z"])
def test_the_same_or_no_creation_date_is_the_same_vendor(now: str | None):
    assert hold(vendor(), vendor(CreateDate=now)).problem is None
