"""What happens in a demo, told through the REST API: connect, run everything, pay, run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from portal.demo.jsonclient import JsonClient

INTEGRATION = "SAP Business One and Basware"
FINAL = {"succeeded", "partial", "failed", "cancelled"}
PATIENCE = 300.0
POLL = 0.2

Run = dict[str, Any]


class TookTooLong(Exception):
    """Runs that did not come to their end."""


class Story:
    """One integration. `still_alive` is asked while waiting and raises when a process of ours is gone."""

    def __init__(self, api: JsonClient, still_alive: Callable[[], None] = lambda: None) -> None:
        self.api, self._still_alive = api, still_alive
        self.integration = 0

    @property
    def path(self) -> str:
        return f"/integrations/{self.integration}/"

    def connect(self, sandbox: dict[str, dict[str, Any]]) -> None:
        """The integration with both connections, made when missing; ports may differ from the last time."""
        known = [one["id"] for one in self.api.pages("/integrations/") if one["name"] == INTEGRATION]
        self.integration = known[0] if known else self.api.post("/integrations/", {"name": INTEGRATION})["id"]
        for system in ("sap_b1", "basware"):
            self.api.put(f"{self.path}connections/{system}/", sandbox[system])

    def subscribe(self) -> None:
        """Basware pushes new invoices from now on."""
        self.api.post(f"{self.path}webhook/")

    def run(self, flow: str = "all", mode: str = "incremental") -> list[Run]:
        """Asks for runs and waits until each has its final status."""
        asked = self.api.post(f"{self.path}runs/", {"flow": flow, "mode": mode})
        return self.await_final([run["id"] for run in asked["runs"]])

    def await_final(self, ids: Sequence[int]) -> list[Run]:
        give_up = time.monotonic() + PATIENCE
        runs = [self.api.get(f"/runs/{pk}/") for pk in ids]
        while waiting := [run for run in runs if run["status"] not in FINAL]:
            if time.monotonic() > give_up:
                raise TookTooLong(", ".join(f"run {run['id']} of {run['flow']} is {run['status']}" for run in waiting))
            self._still_alive()
            time.sleep(POLL)  # other processes do the work: their answer is all there is to wait on
            runs = [run if run["status"] in FINAL else self.api.get(f"/runs/{run['id']}/") for run in runs]
        return runs

    def records(self, **wanted: Any) -> list[dict[str, Any]]:
        """Records of the integration, e.g. flow="invoices", status="failed"."""
        return list(self.api.pages(f"{self.path}records/", **wanted))

    def record(self, **wanted: Any) -> dict[str, Any]:
        """The one record that fits, with all that is known about it."""
        (found,) = self.records(**wanted)
        detail: dict[str, Any] = self.api.get(f"/records/{found['id']}/")
        return detail
