"""Child processes: what they say, how they end, and that nothing of them stays."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from portal.demo.processes import ProcessEnded, Processes

SPEAKS = "import sys, time; print('ready', flush=True); time.sleep(60)"
WITH_CHILD = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def processes(tmp_path: Path):
    processes = Processes(tmp_path, tmp_path / "log")
    yield processes
    processes.stop_all()


def start(processes: Processes, program: str, name: str = "one"):
    return processes.start(name, [sys.executable, "-c", program], dict(os.environ), speaks=True)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_first_line_says_that_it_is_ready(processes: Processes) -> None:
    assert start(processes, SPEAKS).first_line() == "ready\n"
    processes.check()


def test_one_that_ends_at_once_is_told_with_the_end_of_its_log(processes: Processes) -> None:
    child = start(processes, "import sys; sys.exit('no such port')")
    with pytest.raises(ProcessEnded, match="no such port"):
        child.first_line()


def test_one_that_is_gone_is_noticed(processes: Processes) -> None:
    child = start(processes, SPEAKS)
    child.first_line()
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    with pytest.raises(ProcessEnded, match="one ended with -9"):
        processes.check()


def test_stopping_takes_the_whole_group(processes: Processes) -> None:
    child = start(processes, WITH_CHILD)
    below = int(child.first_line())
    processes.stop("one")
    assert child.process.returncode == -signal.SIGTERM
    # The group's signal is sent; when its last process is gone is up to the kernel.
    deadline = time.monotonic() + 5
    while is_alive(below) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(below)


def test_a_process_that_is_deaf_to_the_polite_signal_is_killed(processes: Processes, monkeypatch) -> None:
    monkeypatch.setattr("portal.demo.processes.STOP_SECONDS", 0.2)
    child = start(processes, f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SPEAKS}")
    child.first_line()
    processes.stop("one")
    assert child.process.returncode == -signal.SIGKILL


def test_all_are_stopped_and_forgotten(processes: Processes) -> None:
    children = [start(processes, SPEAKS, name) for name in ("one", "two")]
    for child in children:
        child.first_line()
    processes.stop_all()
    assert [child.process.poll() for child in children] == [-signal.SIGTERM] * 2
    processes.check()


def test_a_silent_process_writes_to_its_log(processes: Processes, tmp_path: Path) -> None:
    child = processes.start("quiet", [sys.executable, "-c", "print('to the log')"], dict(os.environ))
    child.process.wait()
    assert (tmp_path / "log" / "quiet.log").read_text() == "to the log\n"


def test_a_second_one_of_the_same_name_would_be_lost_and_is_refused(processes: Processes) -> None:
    start(processes, SPEAKS)
    with pytest.raises(ValueError, match="one runs already"):
        start(processes, SPEAKS)
