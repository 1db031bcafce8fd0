"""Whatever happens in whatever order to a few invoices: each is in SAP once and confirmed, or before a person."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from syncengine.engine import connections, desk
from tests.faults.stateful.machine import LifeOfInvoices

STEPS = 8
IN_CI = settings(
    max_examples=20,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # real sockets make an example slow: soak finds the shortest one
)
AT_LENGTH = settings(max_examples=200, stateful_step_count=STEPS, deadline=None, database=None)
Machine = Callable[[], LifeOfInvoices]


@pytest.fixture
def happened() -> Counter[str]:
    """What came to pass in all examples, so that a test knows that it has tested something."""
    return Counter()


@pytest.fixture
def machine(
    transactional_db: None,
    settings: Any,
    sandboxes: Any,
    happened: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Machine:
    """Makes one town after another; only what is waited for in real time is short."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.READ_TIMEOUT = settings.POST_TIMEOUT = 0.6
    monkeypatch.setattr(desk, "LOCK_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(connections, "LOGIN_WAIT_SECONDS", 0.3)
    return partial(LifeOfInvoices, sandboxes, happened)


def test_nothing_is_lost_and_nothing_is_twice_whatever_happens(machine: Machine, happened: Counter[str]):
    run_state_machine_as_test(machine, settings=IN_CI)
    assert happened["end: done confirmed "], happened
    assert any(what.startswith("killed") for what in happened), happened


@pytest.mark.soak
def test_nothing_is_lost_and_nothing_is_twice_at_length(machine: Machine, happened: Counter[str], capsys: Any):
    number = random.SystemRandom().getrandbits(32)
    with capsys.disabled():
        print(f"\nseed {number}")  # noqa: T201  # whoever sees it fail runs it again with @seed
    try:
        run_state_machine_as_test(seed(number)(machine), settings=AT_LENGTH)
    finally:
        with capsys.disabled():
            for what, count in sorted(happened.items()):
                print(f"{count:6} {what}")  # noqa: T201
