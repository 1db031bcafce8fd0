from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors.basware.external_codes import response_code
from syncengine.connectors.basware.resources import check
from syncengine.mapping import Problem
from syncengine.posting.responses import cut, next_code, sentence, stamp, transfer_failure, transfer_success

NOW = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)


def problem(message: str) -> Problem:
    return Problem("", message)


@given(st.lists(st.text(max_size=400), max_size=30))
def test_a_sentence_always_fits_and_is_never_empty(messages: list[str]):
    text = sentence([problem(message) for message in messages])
    assert 1 <= len(text) <= 250
    assert check("transferResponses", transfer_failure("c" * 36, text, block=False, system="SAPB1")) == []


def test_all_problems_are_named_when_they_fit():
    assert sentence([problem("A is wrong"), problem("B is wrong")]) == "Not posted: A is wrong; B is wrong."


def test_the_first_ones_are_named_whole_and_the_rest_counted():
    text = sentence([problem(f"G/L account {number} of coding row 1 does not exist in SAP") for number in range(9)])
    assert text.startswith("Not posted: G/L account 0 of coding row 1 does not exist in SAP; G/L account 1 ")
    assert text.endswith(" (and 5 more).")


def test_one_problem_longer_than_the_field_is_cut_but_counted():
    text = sentence([problem("x" * 400), problem("y")])
    assert text.endswith("… (and 1 more).")
    assert len(text) == 250


def test_line_breaks_do_not_reach_the_clerk():
    assert "\n" not in sentence([problem("one\ntwo")])


@pytest.mark.parametrize(("length", "text"), [(5, "hell…"), (11, "hello world"), (6, "hello…")])
def test_a_cut_text_shows_that_it_was_cut(length: int, text: str):
    assert cut("hello  world", length) == text


def test_codes_count_the_answers_that_basware_has_taken():
    first, second, third = (response_code("inv", "transfer", number) for number in (1, 2, 3))
    assert next_code("inv", "transfer", set()) == first
    assert next_code("inv", "transfer", {first}) == second
    assert next_code("inv", "transfer", {first, second}) == third
    assert next_code("inv", "transfer", {second}) == first


def test_success_names_voucher_and_journal_entry():
    body = transfer_success("c1", "A/P invoice", 10457, 30219, block=True, system="S" * 36, now=NOW)
    assert body == {
        "externalCode": "c1",
        "success": True,
        "responseMessage": "Posted to SAP Business One as A/P invoice 10457.",
        "sourceSystem": "S" * 32,
        "voucherNumber1": "10457",
        "voucherNumber2": "30219",
        "transferDate": "2026-11-20T12:00:05Z",
        "paymentBlock": True,
    }
    assert check("transferResponses", body) == []


def test_without_a_journal_entry_there_is_no_second_voucher():
    body = transfer_success("c1", "A/P invoice", 1, None, block=False, system="S", now=NOW)
    assert "voucherNumber2" not in body


def test_failure_carries_a_message_and_no_vouchers():
    body = transfer_failure("c1", "Not posted: x.", block=False, system="SAPB1")
    assert set(body) == {"externalCode", "success", "responseMessage", "sourceSystem", "paymentBlock"}
    assert body["success"] is False


def test_moments_are_utc():
    assert stamp(NOW.astimezone(timezone(timedelta(hours=-8)))) == "2026-11-20T12:00:05Z"
