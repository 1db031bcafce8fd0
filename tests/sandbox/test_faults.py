"""Misbehaviour as it is asked for in JSON."""

from __future__ import annotations

import time
from decimal import Decimal

from syncengine.sandbox.faults import Fault


def test_seconds_from_the_control_api_can_be_slept() -> None:
    fault = Fault.of({"kind": "latency", "seconds": Decimal("0.001")})
    time.sleep(fault.seconds)
    assert isinstance(fault.seconds, float)
