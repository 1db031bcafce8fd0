"""Cutting batches by count and bytes (contracts: Basware §3.5)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from syncengine.connectors.basware import cut_batches
from syncengine.connectors.basware.batches import MAX_BYTES
from syncengine.connectors.jsonio import dump_bytes

payloads = st.lists(st.fixed_dictionaries({"o": st.integers(0, 3), "t": st.text(max_size=30)}), max_size=40)


def flat(batches):
    return [payload for batch in batches for payload in batch]


@given(payloads, st.integers(1, 7), st.integers(20, 200))
def test_every_payload_goes_once_in_order_and_no_request_is_too_large(given_payloads, count, size):
    batches = list(cut_batches(given_payloads, count, size))
    assert flat(batches) == given_payloads
    assert all(1 <= len(batch) <= count for batch in batches)
    assert all(len(dump_bytes(batch)) <= size for batch in batches if len(batch) > 1)


@given(payloads, st.integers(1, 7))
def test_batches_are_as_full_as_they_may_be(given_payloads, count):
    batches = list(cut_batches(given_payloads, count))
    assert all(len(batch) == count for batch in batches[:-1])


@given(payloads, st.integers(1, 7))
def test_what_belongs_together_is_parted_only_when_it_fills_a_request(given_payloads, count):
    given_payloads.sort(key=lambda payload: payload["o"])
    batches = list(cut_batches(given_payloads, count, together=lambda payload: payload["o"]))
    assert flat(batches) == given_payloads
    assert all(len(batch) <= count for batch in batches)
    for one, other in pairwise(batches):
        if one[-1]["o"] == other[0]["o"]:
            assert sum(payload["o"] == one[-1]["o"] for payload in given_payloads) > count


def test_a_payload_over_the_limit_goes_alone():
    batches = list(cut_batches([{"t": "a"}, {"t": "x" * 100}, {"t": "b"}], 10, 50))
    assert [len(batch) for batch in batches] == [1, 1, 1]


def test_characters_count_as_the_bytes_that_are_sent():
    batches = list(cut_batches([{"t": "ä"}] * 4, 10, 2 * len(dump_bytes({"t": "ä"})) + 3))
    assert [len(batch) for batch in batches] == [2, 2]


def test_sizes_known_already_are_taken_as_told():
    assert [len(batch) for batch in cut_batches([{}] * 5, 10, 23, size=lambda _payload: 9)] == [2, 2, 1]


def test_nothing_makes_no_request():
    assert list(cut_batches([], 500)) == []


def test_batches_aim_below_the_six_megabytes_of_basware():
    assert MAX_BYTES == 5_000_000


def test_batches_are_cut_as_payloads_come():
    taken = []

    def source():
        for number in range(1_000):
            taken.append(number)
            yield {"n": number}

    next(cut_batches(source(), 10))
    assert len(taken) == 11
