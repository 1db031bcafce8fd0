"""The worker's child that runs the sandbox servers: started when the operator offers them, and again when it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from django.conf import settings

STOP_SECONDS = 10.0


class SandboxProcess:
    """Nothing at all unless the setting SANDBOX is on. The child ends with us: its standard input is our pipe."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        """See that it runs; to be called often."""
        if settings.SANDBOX and (self._child is None or self._child.poll() is not None):
            manage = Path(settings.BASE_DIR) / "manage.py"
            self._child = subprocess.Popen(  # noqa: S603  # our own command line
                [sys.executable, str(manage), "sandboxes", "--until-eof"],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )

    def end(self) -> None:
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdin:
            self._child.stdin.close()
        self._child = None
