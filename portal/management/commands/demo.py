"""`manage.py demo`: sandboxes, web and worker on this machine, every flow run once, then yours to look at."""

from __future__ import annotations

import signal
import subprocess
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from portal.demo import checks, report
from portal.demo.account import Account, open_account
from portal.demo.database import DemoDatabase
from portal.demo.installation import Installation, NotReady
from portal.demo.jsonclient import CallFailed
from portal.demo.processes import ProcessEnded
from portal.demo.story import Story, TookTooLong

EXPECTED_FAILURES = (ProcessEnded, NotReady, TookTooLong, CallFailed, OSError, subprocess.CalledProcessError)


class Command(BaseCommand):
    """Ctrl-C stops everything; with --once it checks what moved and exits 0, or 1 with the reason."""

    help = "Start everything with sandboxes of both systems and run every flow once."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run, check, print what moved, and end")
        parser.add_argument("--fresh", action="store_true", help="forget what earlier demos left on both sides")
        parser.add_argument("--folder", type=Path, default=settings.VAR_DIR, help="keeps the sandboxes' state and logs")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _as_ctrl_c)
        folder: Path = options["folder"]
        self._prepare_database(folder, fresh=options["fresh"])
        began = time.monotonic()
        try:
            self._play(Installation(folder, {"SANDBOX": "true"}), once=options["once"], began=began)
        except KeyboardInterrupt:
            self.stdout.write("\nEverything is stopped.")
        except EXPECTED_FAILURES as failure:
            raise CommandError(str(failure)) from failure

    def _play(self, installation: Installation, *, once: bool, began: float) -> None:
        self.stdout.write("Starting the sandboxes, the web and a worker …")
        with installation:
            account = open_account(installation.folder / "demo-password")
            connection.close()
            story = Story(installation.api(account.api_key), installation.processes.check)
            story.connect(installation.sandbox)
            story.subscribe()
            runs = self._first_runs(story, installation)
            self.stdout.write(f"({time.monotonic() - began:.0f} s since the start)\n")
            if once:
                self._check(story, installation, runs)
            else:
                self._invite(story, installation, account)

    def _first_runs(self, story: Story, installation: Installation) -> list[dict[str, Any]]:
        self.stdout.write("Running every flow …")
        runs = story.run()
        paid = installation.control.post("/sap/pay-run")
        self.stdout.write(f"SAP has made {len(paid)} payments; confirming them …\n")
        runs += story.run("payments")
        self._write(report.table(runs))
        failed = story.records(status="failed")
        self.stdout.write(f"\n{len(failed)} records failed:")
        self._write(report.failures(failed))
        return runs

    def _check(self, story: Story, installation: Installation, runs: list[dict[str, Any]]) -> None:
        before = checks.writes(installation.control)
        again = story.run()
        self.stdout.write("\nOnce more, with nothing new:")
        self._write(report.table(again))
        wrong = [*self._wrong(story, installation, [*runs, *again])]
        wrong += checks.needless_writes(before, checks.writes(installation.control))
        wrong += checks.needless_records(again)
        if wrong:
            raise CommandError("\n".join(["This is not as it should be:", *(f"- {sentence}" for sentence in wrong)]))
        books = checks.Books(installation.control)
        posted = sum(len(documents) for documents in books.posted.values())
        self.stdout.write(
            f"\nAll is well: {posted} of {len(books.invoices)} invoices are in SAP once with equal totals, the four bad"
            f" ones failed with their reasons, {len(books.payments)} payments agree, a second run sent nothing."
        )

    def _wrong(self, story: Story, installation: Installation, runs: list[dict[str, Any]]) -> Iterator[str]:
        books = checks.Books(installation.control)
        failed = [story.api.get(f"/records/{record['id']}/") for record in story.records(status="failed")]
        yield from checks.failed_runs(runs)
        yield from checks.wrong_postings(books)
        yield from checks.wrong_failures(books, failed)
        yield from checks.wrong_payments(books)

    def _invite(self, story: Story, installation: Installation, account: Account) -> None:
        self._write(
            report.invitation(
                installation.url,
                account.organization.slug,
                account.email,
                account.password,
                story.integration,
                installation.sandbox["control"]["url"],
            )
        )
        self.stdout.write(f"\nLogs are in {installation.folder / 'log'}. Ctrl-C stops everything.")
        while True:
            installation.processes.check()
            time.sleep(1)  # until Ctrl-C, or until a process of ours is gone

    def _prepare_database(self, folder: Path, *, fresh: bool) -> None:
        """The demo's own database, where that is a file; with `fresh` both sides start anew."""
        database = settings.DATABASES["default"]
        if database["ENGINE"].endswith("sqlite3"):
            ours = DemoDatabase(Path(database["NAME"]), folder)
            if fresh:
                ours.forget(datetime.now(UTC))
            ours.claim()
        elif fresh:
            raise CommandError("--fresh clears SQLite only; give DATABASE_URL an empty database instead.")
        for file in (folder / "sandbox").glob("*.sqlite3*") if fresh else ():
            file.unlink()

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _as_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt
