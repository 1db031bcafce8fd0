"""Lanes: side by side, each in its order."""

from __future__ import annotations

import threading

import pytest

from syncengine.engine.lanes import work_through

pytestmark = pytest.mark.django_db


def never() -> bool:
    return False


def test_every_piece_is_done_once_and_those_of_a_lane_in_their_order():
    done = []
    work_through([["a1", "a2", "a3"], ["b1"], ["c1", "c2"]], 2, done.append, never)
    assert sorted(done) == ["a1", "a2", "a3", "b1", "c1", "c2"]
    assert [piece for piece in done if piece.startswith("a")] == ["a1", "a2", "a3"]


def test_as_many_lanes_go_on_at_once_as_there_are_threads():
    together = threading.Barrier(3, timeout=10)
    work_through([["a"], ["b"], ["c"]], 3, lambda _: together.wait(), never)


def test_nothing_is_begun_once_it_is_stopped():
    done = []
    work_through([["a1", "a2", "a3"]], 1, done.append, lambda: len(done) == 2)
    assert done == ["a1", "a2"]


def test_what_goes_wrong_in_a_lane_is_told_when_the_others_have_come_to_their_end():
    done = []

    def do(piece: str) -> None:
        if piece == "bad":
            raise ValueError(piece)
        done.append(piece)

    with pytest.raises(ValueError, match="bad"):
        work_through([["bad", "after it"], ["other"]], 2, do, never)
    assert done == ["other"]


def test_no_lanes_are_no_work():
    work_through([], 4, pytest.fail, never)
