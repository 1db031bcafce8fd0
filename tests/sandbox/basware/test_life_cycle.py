"""The tables of statuses hold together (contracts: Basware §14.2)."""

import pytest

from syncengine.sandbox.basware.life_cycle import (
    ACKNOWLEDGED,
    PAYABLE,
    PAYMENT,
    RESPONSE_KINDS,
    STATUSES,
    TRANSFER,
    WITH_ATTACHMENTS,
    ResponseKind,
    is_waiting,
    search_status,
)

MOVING = [kind for kind in RESPONSE_KINDS if kind is not PAYMENT]


def test_every_status_named_in_a_table_exists() -> None:
    named = set(ACKNOWLEDGED) | set(ACKNOWLEDGED.values()) | PAYABLE | WITH_ATTACHMENTS
    for kind in RESPONSE_KINDS:
        named |= kind.open_in
    assert named <= set(STATUSES)


def test_statuses_are_spelt_as_by_basware() -> None:
    assert "WaitingForPrebookCancelation" in STATUSES
    assert "WaitingForPrebookCancellation" not in STATUSES
    assert len(STATUSES) == len(set(STATUSES)) == 30


def test_only_waiting_statuses_can_be_claimed_and_the_claim_ends_the_waiting() -> None:
    assert all(is_waiting(before) and not is_waiting(after) for before, after in ACKNOWLEDGED.items())


@pytest.mark.parametrize("kind", MOVING, ids=lambda kind: kind.path)
def test_an_answer_is_taken_with_and_without_the_claim_and_closes_itself(kind: ResponseKind) -> None:
    waiting = [status for status in kind.open_in if is_waiting(status)]
    assert len(waiting) == 1
    assert kind.open_in == {waiting[0], ACKNOWLEDGED[waiting[0]]}
    assert {kind.done, kind.failed} <= set(STATUSES)
    assert not {kind.done, kind.failed} & kind.open_in


def test_what_is_transferred_can_be_paid_and_shows_its_attachments() -> None:
    assert TRANSFER.done in PAYABLE & WITH_ATTACHMENTS
    assert PAYMENT.open_in == PAYABLE


@pytest.mark.parametrize(
    ("status", "coarse"),
    [
        ("New", "InApprovalProcess"),
        ("WaitingForTransfer", "InApprovalProcess"),
        ("TransferInProgress", "InApprovalProcess"),
        ("TransferFailed", "InApprovalProcess"),
        ("Transferred", "ReadyForPayment"),
        ("Paid", "Paid"),
        ("Removed", "Rejected"),
        ("Returned", "Rejected"),
    ],
)
def test_the_search_knows_four_statuses(status: str, coarse: str) -> None:
    assert search_status(status) == coarse


@pytest.mark.parametrize("kind", RESPONSE_KINDS, ids=lambda kind: kind.path)
def test_answers_are_versioned_imports(kind: ResponseKind) -> None:
    assert kind.entity_version == f"{kind.entity_type}V1"
