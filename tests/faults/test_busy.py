"""Permits that run out in the middle of an invoice's life: nothing was sent, so nothing is in doubt."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.engine import document_runs, gate
from syncengine.models import Attempt, AttemptState
from tests.faults.world import FaultWorld, invoice

CHOSEN = [("service", 0), ("service", 1), ("tax_split", 0), ("tax_split", 1), ("foreign_service", 0), ("credit", 0)]


@pytest.fixture
def busy(town: FaultWorld, quick: Any, monkeypatch: pytest.MonkeyPatch) -> FaultWorld:
    """One call of a connection at a time, which takes long, for documents that wait hardly at all."""
    quick.CALLS_IN_FLIGHT = 1
    monkeypatch.setattr(gate, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(document_runs, "at_once", lambda: len(CHOSEN))
    for system in ("sap_b1", "basware"):
        town.fault(system, "latency", seconds=0.03, count=0)
    return town


def test_documents_that_find_no_permit_are_posted_and_answered_once_all_the_same(
    busy: FaultWorld, monkeypatch: pytest.MonkeyPatch
):
    turned_away: list[str] = []
    said = gate.Gate._busy
    monkeypatch.setattr(gate.Gate, "_busy", lambda self: turned_away.append(self._name) or said(self))
    busy.issue(*(invoice(kind, place) for kind, place in CHOSEN))
    busy.go(seconds=60)
    assert turned_away
    for place in range(len(CHOSEN)):
        busy.assert_posted_once(place)
        assert busy.mine(place).attempts == 0
    assert not Attempt.objects.filter(state=AttemptState.UNKNOWN).exists()
