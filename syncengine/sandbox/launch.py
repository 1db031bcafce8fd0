"""Starts both sandboxes and the control API as one process, alone or for the demo.

    python -m syncengine.sandbox --state var/sandbox

Prints one line of JSON with addresses and credentials and runs until SIGTERM or SIGINT. With a state folder everything
survives a restart, the day of the data set included; `--fresh` starts anew. A scenario is a JSON file of control calls
made at the start: [{"method": "POST", "path": "/faults", "body": {…}}, …]
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from syncengine.sandbox.basware import CLIENT_ID, CLIENT_SECRET, BaswareSandbox
from syncengine.sandbox.control import ControlServer
from syncengine.sandbox.dataset import COMPANY_CODE, Dataset
from syncengine.sandbox.sap_b1.actions import SapActions
from syncengine.sandbox.sap_b1.server import DEFAULT_CREDENTIALS, SapSandbox
from syncengine.sandbox.seeds import Seeds
from syncengine.sandbox.server import SandboxRequest, encode
from syncengine.sandbox.store import Store

SAP_PORT, BASWARE_PORT, CONTROL_PORT = 50010, 50020, 50030


@dataclass(frozen=True)
class Options:
    """What to start; port 0 is a free one. Secrets that are not given are the published ones."""

    sap_port: int = 0
    basware_port: int = 0
    storage_port: int = 0
    control_port: int = 0
    sap_password: str = DEFAULT_CREDENTIALS["password"]
    client_secret: str = CLIENT_SECRET
    scale: int = 0
    scenario: Path | None = None
    state: Path | None = None
    fresh: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sap-port", type=int, default=SAP_PORT, help="0 = a free one")
    parser.add_argument("--basware-port", type=int, default=BASWARE_PORT, help="0 = free; storage is the next one")
    parser.add_argument("--control-port", type=int, default=CONTROL_PORT, help="0 = a free one")
    parser.add_argument("--scale", type=int, default=0, help="so many generated suppliers more")
    parser.add_argument("--scenario", type=Path, help="JSON file of control calls made at the start")
    parser.add_argument("--state", type=Path, help="folder that keeps the state over restarts")
    parser.add_argument("--fresh", action="store_true", help="forget the kept state")


def options_from(values: dict[str, Any]) -> Options:
    return Options(**{name: values[name] for name in Options.__dataclass_fields__ if name in values})


class Sandboxes:
    """Both systems and the control API. `addresses` says where they are and how to log in."""

    def __init__(self, options: Options) -> None:
        if options.fresh and options.state is not None:
            _forget(options.state)
        stores = [_store(options.state, name) for name in ("sap_b1", "basware")]
        dataset = _dataset(stores[0], options.scale)
        self.control = ControlServer(port=options.control_port)
        credentials = {**DEFAULT_CREDENTIALS, "password": options.sap_password}
        self.sap: SapSandbox = SapSandbox(stores[0], dataset, port=options.sap_port, credentials=credentials)
        storage_port = options.storage_port or (options.basware_port and options.basware_port + 1)
        self.basware = BaswareSandbox(
            stores[1],
            dataset.invoices(),
            options.basware_port,
            storage_port,
            client_secret=options.client_secret,
        )
        SapActions(self.sap).register(self.control)
        self.basware.register(self.control)
        self.seeds = Seeds(self)
        self.seeds.register(self.control)
        self._scenario = options.scenario

    def start(self) -> Self:
        for server in (self.sap, self.basware, self.control):
            server.start()
        if self._scenario is not None:
            self.play(json.loads(self._scenario.read_text(encoding="utf-8")))
        return self

    def stop(self) -> None:
        for server in (self.control, self.basware, self.sap):
            server.stop()

    def play(self, calls: list[dict[str, Any]]) -> None:
        """Makes control calls. Raises ValueError with the answer of the first that is refused."""
        for call in calls:
            request = SandboxRequest(call.get("method", "POST"), call["path"], body=encode(call.get("body", {})))
            answer = self.control.handle(request)
            if answer.status != 200:
                raise ValueError(f"scenario: {call['path']}: {answer.body.decode()}")

    @property
    def addresses(self) -> dict[str, dict[str, str]]:
        return {
            "sap_b1": {"base_url": self.sap.base_url, **self.sap.credentials},
            "basware": {
                "base_url": self.basware.url,
                "client_id": CLIENT_ID,
                "client_secret": self.basware.client_secret,
                "company_code": COMPANY_CODE,
            },
            "control": {"url": self.control.url},
        }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def run(options: Options) -> None:
    """Starts, prints the addresses and waits for a signal."""
    finished = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: finished.set())
    with Sandboxes(options) as sandboxes:
        sys.stdout.write(json.dumps(sandboxes.addresses) + "\n")
        sys.stdout.flush()
        finished.wait()


def _store(state: Path | None, name: str) -> Store:
    return Store(None if state is None else state / f"{name}.sqlite3")


def _dataset(store: Store, scale: int) -> Dataset:
    """The data set of the day on which the state was made: a kept state and its reset stay alike."""
    kept = store.collection("dataset").get("made")
    if kept is None:
        return Dataset(scale=scale)
    return Dataset(date.fromisoformat(kept["today"]), int(kept["scale"]))


def _forget(state: Path) -> None:
    for file in state.glob("*.sqlite3*"):
        file.unlink()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m syncengine.sandbox", description="Both sandbox servers alone")
    add_arguments(parser)
    run(options_from(vars(parser.parse_args(arguments))))
