"""Child processes: each in a group of its own with a log file, stopped together and in the opposite order."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 40.0
LINES_SHOWN = 25


class ProcessEnded(Exception):
    """A process of ours is gone though nobody stopped it; the text holds the end of its log."""


@dataclass
class Child:
    """A running process. A Ctrl-C in the terminal does not reach it: we stop it ourselves."""

    name: str
    process: subprocess.Popen[str]
    log: Path

    def first_line(self) -> str:
        """The first line on its standard output: it is there when the process is ready."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise ProcessEnded(f"{self.name} ended at once.\n{self.last_words()}")
        return line

    def check(self) -> None:
        """Raises ProcessEnded when it is gone."""
        if self.process.poll() is not None:
            raise ProcessEnded(f"{self.name} ended with {self.process.returncode}.\n{self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"{self.log}:", *lines[-LINES_SHOWN:]])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for the whole group when that does not help in time."""
        self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Processes:
    """The children that run, by name."""

    def __init__(self, folder: Path, log_folder: Path) -> None:
        self._folder, self._log_folder = folder, log_folder
        self._children: dict[str, Child] = {}

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, speaks: bool = False
    ) -> Child:
        """Starts a process; of one that `speaks`, standard output is for us, else it goes to the log too."""
        if name in self._children:
            raise ValueError(f"{name} runs already")
        self._log_folder.mkdir(parents=True, exist_ok=True)
        path = self._log_folder / f"{name}.log"
        with path.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(  # noqa: S603  # our own command lines
                command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if speaks else log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        child = self._children[name] = Child(name, process, path)
        return child

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def check(self) -> None:
        """Raises ProcessEnded when one of them is gone."""
        for child in self._children.values():
            child.check()

    def stop(self, name: str) -> None:
        self._children.pop(name).stop()

    def stop_all(self) -> None:
        """The last one started goes first; all are asked before one is waited for."""
        for child in reversed(self._children.values()):
            child.signal(signal.SIGTERM)
        for name in reversed([*self._children]):
            self.stop(name)
