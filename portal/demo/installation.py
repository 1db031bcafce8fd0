"""The whole product on one machine: both sandboxes, web and worker, started and stopped as one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from portal.demo.jsonclient import CallFailed, JsonClient
from portal.demo.ports import LOOPBACK, free_port
from portal.demo.processes import Processes
from syncengine.sandbox.launch import BASWARE_PORT, CONTROL_PORT, SAP_PORT

CHECKOUT = Path(__file__).resolve().parents[2]
WEB_PORT = 8000
READY_SECONDS = 60.0
POLL = 0.1


class NotReady(Exception):
    """A process runs but does not answer in time."""


class Installation:
    """`folder` takes the sandboxes' state and the logs; `settings` go over the environment.

    with Installation(folder, {}) as installation:
        installation.api(key).get("/integrations/")
        installation.control.post("/sap/pay-run")
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], *, usual_ports: bool = True) -> None:
        self.folder = folder
        self._usual = usual_ports
        self.web_port = self._port(WEB_PORT)
        self.url = f"http://{LOOPBACK}:{self.web_port}"
        self.environment = {
            **os.environ,
            "DEBUG": "false",
            "SITE_URL": self.url,
            "OUTBOUND_ALLOW": "127.0.0.0/8",
            "OUTBOUND_ALLOW_HTTP": "true",
            **settings,
        }
        self.processes = Processes(CHECKOUT, folder / "log")
        self.sandbox: dict[str, dict[str, Any]] = {}

    @property
    def control(self) -> JsonClient:
        """The control API of the sandboxes."""
        return JsonClient(self.sandbox["control"]["url"])

    def api(self, key: str) -> JsonClient:
        """The REST API with an organization's key."""
        return JsonClient(f"{self.url}/api/v1", {"Authorization": f"Api-Key {key}"})

    def start(self) -> Self:
        """Everything, the database's tables included. Raises ProcessEnded or NotReady with the reason."""
        shutil.rmtree(self.folder / "log", ignore_errors=True)
        try:
            self.start_sandbox()
            self.manage("migrate", "--verbosity", "0")
            self.manage("collectstatic", "--no-input", "--verbosity", "0")
            self.start_web()
            self.start_worker()
        except BaseException:
            self.stop()
            raise
        return self

    def start_sandbox(self) -> None:
        """Listens as soon as it has said where."""
        ports = {
            "sap": self._port(SAP_PORT),
            "basware": self._port(BASWARE_PORT, 1),
            "control": self._port(CONTROL_PORT),
        }
        arguments = [text for name, port in ports.items() for text in (f"--{name}-port", str(port))]
        state = self.folder / "sandbox"
        state.mkdir(parents=True, exist_ok=True)
        command = [*self._manage, "sandbox", "--state", str(state), *arguments]
        child = self.processes.start("sandbox", command, self.environment, speaks=True)
        self.sandbox = json.loads(child.first_line())

    def start_web(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"{LOOPBACK}:{self.web_port}"]
        self.processes.start("web", command, self.environment)
        self._await_web()

    def start_worker(self) -> None:
        self.processes.start("worker", [*self._manage, "worker"], self.environment)

    def stop(self) -> None:
        self.processes.stop_all()

    def manage(self, *arguments: str) -> str:
        """Standard output of a management command. Raises CalledProcessError."""
        done = subprocess.run(  # noqa: S603  # our own command lines
            [*self._manage, *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        return done.stdout

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _manage(self) -> list[str]:
        return [sys.executable, str(CHECKOUT / "manage.py")]

    def _port(self, usual: int, following: int = 0) -> int:
        return free_port(usual if self._usual else 0, following)

    def _await_web(self) -> None:
        client, give_up = JsonClient(self.url), time.monotonic() + READY_SECONDS
        while True:
            self.processes["web"].check()
            try:
                client.get("/healthz/")
            except (OSError, CallFailed) as reason:
                if time.monotonic() > give_up:
                    raise NotReady(
                        f"The web does not answer: {reason}\n{self.processes['web'].last_words()}"
                    ) from reason
                time.sleep(POLL)  # it is another process: there is nothing to wait on but its answer
            else:
                return
