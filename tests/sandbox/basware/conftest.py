from collections.abc import Iterator

import pytest

from syncengine.sandbox.basware import BaswareSandbox
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.store import Store
from tests.sandbox.basware.world import NOON, Clock, Receiver, World, invoice

SWITCHES = Switches(delay=60, retry_spacing=0.01)


@pytest.fixture(scope="session")
def running() -> Iterator[World]:
    """One pair of servers for all tests; starting and stopping them is what takes time."""
    clock = Clock()
    with BaswareSandbox(Store(), [invoice()], clock=clock) as sandbox:
        yield World(sandbox, clock)


@pytest.fixture
def world(running: World) -> World:
    """Basware with one invoice, its clock standing still at noon, and a client with every scope."""
    running.clock.moment = NOON
    running.sandbox.switches.change(SWITCHES.as_dict())
    for server in (running.sandbox, running.sandbox.storage):
        server.faults.clear()
        server.requests.clear()
    running.sandbox.storage.expire_all()
    running.sandbox.reset()
    running.log_in()
    return running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def subscriber(world: World, receiver: Receiver) -> Receiver:
    """A receiver that has subscribed to invoices waiting for transfer."""
    assert world.post("/v1/subscriptions", [receiver.subscription()]).status == 200
    return receiver
