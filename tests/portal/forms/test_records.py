"""What people can say about a record."""

from __future__ import annotations

import pytest

from portal.forms.records import WORDS_OF_DECISIONS, DecideForm, IgnoreForm, ReasonForm, decisions_of
from syncengine.models import Record


def ignore(**data):
    form = IgnoreForm(data, held=True)
    form.is_valid()
    return form


def test_a_reason_may_be_left_out_of_a_replay_but_not_be_endless():
    assert ReasonForm({}).is_valid()
    assert not ReasonForm({"reason": "x" * 501}).is_valid()


def test_master_data_is_put_aside_without_a_word_to_basware():
    form = IgnoreForm({"reason": "test data", "outcome": "give_back"}, held=False)
    assert form.is_valid()
    assert form.outcome_chosen == {"give_back": False, "booked_as": None}


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({"outcome": ""}, {"give_back": False, "booked_as": None}),
        ({"outcome": "give_back", "booked_as": "7"}, {"give_back": True, "booked_as": None}),
        ({"outcome": "booked_as", "booked_as": "7"}, {"give_back": False, "booked_as": 7}),
    ],
)
def test_only_what_was_chosen_is_told_to_basware(data, outcome):
    assert ignore(reason="r", **data).outcome_chosen == outcome


@pytest.mark.parametrize("number", ["", "abc", "0", "-4"])
def test_booked_by_hand_needs_a_document_number(number):
    assert list(ignore(reason="r", outcome="booked_as", booked_as=number).errors) == ["booked_as"]


def test_an_outcome_that_does_not_exist_is_refused():
    assert "outcome" in ignore(reason="r", outcome="burn").errors


@pytest.mark.parametrize("decision", WORDS_OF_DECISIONS)
def test_every_known_decision_has_words_of_its_own(decision):
    assert WORDS_OF_DECISIONS[decision] != decision.replace("_", " ")
    assert DecideForm({"decision": decision, "reason": "r"}, decisions=[decision]).is_valid()


def test_a_decision_that_is_new_to_the_pages_can_be_taken_all_the_same():
    form = DecideForm({"decision": "split_it", "reason": "r"}, decisions=["split_it"])
    assert form.is_valid()
    assert dict(form.fields["decision"].choices) == {"split_it": "split it"}


def test_only_open_decisions_are_valid_and_each_needs_a_reason():
    assert "decision" in DecideForm({"decision": "close", "reason": "r"}, decisions=["adopt"]).errors
    assert "reason" in DecideForm({"decision": "adopt"}, decisions=["adopt"]).errors


def test_what_is_no_text_among_the_decisions_is_left_out():
    assert decisions_of(Record(decisions=["adopt", None, {"a": 1}])) == ["adopt"]
