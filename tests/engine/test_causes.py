"""What records that failed for the same thing have in common, whatever tells one from another."""

from __future__ import annotations

import pytest

from syncengine.engine.causes import LENGTH, cause_of, words_of_cause
from syncengine.engine.records import Trouble, set_failed, set_pending
from syncengine.models import Record


def cause(message: str, *problems: str, code: str = "problems", **fields: str) -> str:
    return cause_of(Record(**fields), code, message, [{"message": problem} for problem in problems])


def test_invoices_that_fail_for_one_account_have_one_cause_in_whatever_row_it_stands():
    causes = {
        cause("x", f"G/L account 4010 of coding row {row} is frozen in SAP.", "Something else.", key=f"INV-{row}")
        for row in (1, 2, 30)
    }
    assert causes == {"problems: G/L account 4010 is frozen in SAP."}


def test_another_account_or_another_fault_is_another_cause():
    first = "G/L account 4010 of coding row 1 is frozen in SAP."
    assert cause("", first) != cause("", first.replace("4010", "4020"))
    assert cause("", first) != cause("", first.replace("is frozen", "does not exist"))
    assert cause("The same.", code="rejected") != cause("The same.", code="import_failed")


def test_a_record_s_own_names_and_numbers_are_left_out():
    message = "RE-4711 of Nordic Oy was refused."
    told = cause(message, code="rejected", key="8f3a", reference="RE-4711", title="Nordic Oy")
    assert told == "rejected: … of … was refused."
    request = "Basware has not said what became of request 1b671a64-40d5-491e-99b0-da01ff1f3341."
    assert cause(request, code="no_answer") == "no_answer: Basware has not said what became of request …."


@pytest.mark.parametrize(("code", "message", "expected"), [("", "x", ""), ("stopped", "", "stopped")])
def test_without_a_code_there_is_none_and_without_words_the_code_alone(code, message, expected):
    assert cause(message, code=code) == expected


def test_a_cause_fits_its_column():
    assert len(cause("long " * 100)) == LENGTH


def test_people_read_the_cause_without_its_code():
    assert words_of_cause("problems: G/L account 4010 is frozen.") == "G/L account 4010 is frozen."
    assert words_of_cause("problems: : order 26000361 is not there.") == "Order 26000361 is not there."
    assert words_of_cause("no_answer") == "No answer"


def test_a_failure_sets_the_cause_and_going_on_takes_it_away():
    record = Record(key="V1")
    set_failed(record, Trouble("problems", "name is required"))
    assert record.cause == "problems: Name is required."
    set_pending(record, None)  # type: ignore[arg-type]  # the moment does not matter
    assert record.cause == ""
