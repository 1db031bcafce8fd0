"""The answer to a write is lost, and what stops its repeat says nothing about it: the doubt must outlive the repeat."""

from __future__ import annotations

import pytest

from tests.faults.world import FaultWorld, invoice

STOPS = {
    "a limit": {"kind": "status", "status": 429, "retry_after": 1},
    "a system that is away": {"kind": "drop_before", "count": 2},
    "a refused token": {"kind": "status", "status": 401, "count": 2},
}


def lose_and_stop(town: FaultWorld, path: str, stop: dict[str, object]) -> None:
    town.fault("basware", "drop_after", method="POST", path=path)
    how = {name: value for name, value in stop.items() if name != "kind"}
    town.fault("basware", str(stop["kind"]), method="POST", path=path, **{"skip": 1, **how})


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS.keys())
@pytest.mark.parametrize("path", ["/acknowledge$", "/transferResponses$"])
def test_a_repeat_that_is_stopped_forgets_no_doubt_about_an_invoice(town: FaultWorld, path: str, stop):
    town.issue(invoice())
    lose_and_stop(town, path, stop)
    town.go(seconds=30)
    town.assert_posted_once()


def test_a_repeat_that_is_stopped_forgets_no_doubt_about_a_payment(town: FaultWorld):
    town.issue(invoice())
    town.go()
    town.tell("/sap/payments", entry=town.in_sap()[0]["DocEntry"])
    lose_and_stop(town, "/paymentResponses$", STOPS["a limit"])
    town.go("payments", seconds=30)
    assert [one["paidTotal"] for one in town.payments()] == [town.at_basware()["grossSum"]]
    town.assert_posted_once(stage="paid")
