"""A worker that stands still for longer than its lease finds its work taken over, and leaves it alone."""

from __future__ import annotations

import signal

import pytest

from tests.engine.processes import wait_until
from tests.faults.deaths import ANNOUNCED, Death
from tests.faults.nursery import Nursery
from tests.faults.world import FaultWorld, invoice

POINTS = {
    "before it claims": Death(ANNOUNCED, "before", "acknowledge", signal.SIGSTOP),
    "before it saves its check": Death("syncengine.flows.invoicing.check:_checked", "after", "", signal.SIGSTOP),
    "before it announces its post": Death(ANNOUNCED, "before", "post", signal.SIGSTOP),
    "before it links what it posted": Death("syncengine.engine.desk:DbDesk.link", "before", "", signal.SIGSTOP),
    "before it announces its answer": Death(ANNOUNCED, "before", "transfer_response", signal.SIGSTOP),
}


@pytest.mark.parametrize("point", POINTS)
def test_it_does_nothing_twice_when_it_goes_on(town: FaultWorld, nursery: Nursery, point: str):
    town.issue(invoice())
    child = nursery.start(town.integration.pk, "invoices", POINTS[point])
    wait_until(child.has_stopped)
    town.leases_run_out()
    town.settle()
    town.assert_posted_once()
    child.go_on()
    child.wait()
    town.settle()
    town.assert_posted_once()
    assert len(town.calls("sap_b1", "POST", "/PurchaseInvoices")) == 1
    assert len(town.calls("basware", "POST", "/transferResponses")) == 1


def test_a_lease_is_not_cut_short_by_the_steps_of_its_own_holder(town: FaultWorld, nursery: Nursery, settings):
    settings.LEASE_SECONDS = 0.6
    settings.READ_TIMEOUT = 5.0
    town.issue(invoice())
    town.fault("sap_b1", "latency", method="GET", seconds=0.2, count=0)
    town.ask("invoices")
    other = nursery.start(town.integration.pk, "invoices")
    town.settle()
    other.wait()
    town.assert_posted_once()
    assert len(town.calls("basware", "POST", "/acknowledge")) == 1
