"""The worker's child that runs the sandboxes: there when it is wanted, back when it ended, gone with the worker."""

from __future__ import annotations

import io
import threading

import pytest
from django.core.management import call_command

from syncengine.engine import sandbox_process
from syncengine.engine.sandbox_house import House
from syncengine.engine.sandbox_process import SandboxProcess
from syncengine.management.commands import sandboxes as command

UNTIL_EOF = "import sys; assert sys.argv[1:] == ['sandboxes', '--until-eof']; sys.stdin.read()"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


@pytest.fixture
def program(settings, tmp_path):
    """Writes what the child does in place of manage.py."""
    settings.SANDBOX, settings.BASE_DIR = True, tmp_path

    def write(text):
        (tmp_path / "manage.py").write_text(text)

    write(UNTIL_EOF)
    return write


@pytest.fixture
def process(program):
    process = SandboxProcess()
    yield process
    process.end()


def test_without_the_setting_there_is_no_child(process, settings):
    settings.SANDBOX = False
    process.keep()
    assert process._child is None


def test_it_is_started_once_and_again_when_it_has_ended(process):
    process.keep()
    first = process._child
    process.keep()
    assert process._child is first
    first.kill()
    first.wait()
    process.keep()
    assert process._child is not first
    assert process._child.poll() is None


def test_it_ends_with_its_worker_however_that_came_about(process):
    process.keep()
    process._child.stdin.close()
    assert process._child.wait(10) == 0


def test_a_child_that_does_not_listen_is_killed(process, program, monkeypatch):
    program(DEAF)
    monkeypatch.setattr(sandbox_process, "STOP_SECONDS", 0.2)
    process.keep()
    child = process._child
    process.end()
    assert child.returncode is not None
    assert process._child is None


def test_the_command_ends_when_its_input_does(monkeypatch):
    stopped, ran = threading.Event(), []

    def run(self):
        assert stopped.wait(10)
        ran.append(self)

    monkeypatch.setattr(House, "run", run)
    monkeypatch.setattr(House, "stop", lambda self: stopped.set())
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    monkeypatch.setattr(command.sys, "stdin", io.StringIO(""))
    call_command("sandboxes", until_eof=True)
    assert len(ran) == 1
