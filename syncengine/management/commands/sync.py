"""`manage.py sync`: runs flows now, in this process."""

from __future__ import annotations

import json
import resource
import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from tqdm import tqdm

from syncengine.audit.checks import KEYS
from syncengine.checks import BROKER
from syncengine.engine import due
from syncengine.engine.runs import ALL, request_runs
from syncengine.engine.work import Deadline
from syncengine.flows import registry
from syncengine.models import FINAL_STATUSES, MODES_TO_ASK_FOR, Call, Run, RunMode, RunTrigger
from tenants.models import Integration

TURN_SECONDS = 3600.0


class Command(BaseCommand):
    """One JSON line of counts per flow on standard output; exit 1 if any record failed."""

    requires_system_checks = (BROKER, KEYS)  # the others would load all pages and the API
    help = "Run flows of an integration now, in this process, until the target has confirmed everything."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("integration", type=int, metavar="INTEGRATION_ID")
        parser.add_argument("flows", nargs="*", metavar="FLOW", help="all of them when none is named")
        parser.add_argument("--mode", choices=[mode for mode, _ in MODES_TO_ASK_FOR], default=RunMode.INCREMENTAL)

    def handle(self, *args: Any, **options: Any) -> None:
        integration = Integration.objects.filter(pk=options["integration"]).first()
        if integration is None:
            raise CommandError(f"There is no integration {options['integration']}.")
        there_are = registry.of(integration.settings)
        unknown = [name for name in options["flows"] if name not in there_are]
        if unknown:
            raise CommandError(f"No such flow: {', '.join(unknown)}. There are: {', '.join(there_are)}.")
        runs = [
            run
            for flow in options["flows"] or [ALL]
            for run in request_runs(integration, flow, options["mode"], trigger=RunTrigger.COMMAND, actor="sync")
        ]
        self._work_off(runs)
        self._report(runs)

    def _work_off(self, runs: list[Run]) -> None:
        """Do whatever is due, these runs among it, until they are final; other workers may help."""
        with tqdm(total=len(runs), unit="flow", disable=not sys.stderr.isatty()) as bar:
            while open_runs := [run for run in fresh(runs) if run.status not in FINAL_STATUSES]:
                bar.set_description(", ".join(f"{run.flow} {run.read}" for run in open_runs[:1]))
                bar.update(len(runs) - len(open_runs) - bar.n)
                due.work_off(Deadline(TURN_SECONDS))
                due.wait_for_next(seconds=0.2)
            bar.update(len(runs) - bar.n)

    def _report(self, runs: list[Run]) -> None:
        failed = 0
        for run in fresh(runs):
            failed += run.failed or (1 if run.error_code else 0)
            calls = calls_of(run)
            line = {"flow": run.flow, "run": run.pk, "status": run.status, **run.counts, "calls": calls}
            if run.error_message:
                line["error"] = run.error_message
            self.stdout.write(json.dumps(line))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self.stderr.write(f"Peak memory of this process: {peak} MB")
        if failed:
            sys.exit(1)


def fresh(runs: list[Run]) -> list[Run]:
    return list(Run.objects.filter(pk__in=[run.pk for run in runs]).order_by("id"))


def calls_of(run: Run) -> dict[str, int]:
    """HTTP calls made for a run, by system and method."""
    rows = Call.objects.filter(run=run).values_list("system", "method").annotate(number=Count("id"))
    counted: Counter[str] = Counter()
    for system, method, number in rows:
        counted[f"{system} {method}"] += number
    return dict(sorted(counted.items()))
