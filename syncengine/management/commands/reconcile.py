"""`manage.py reconcile`: is every invoice that Basware approved in SAP once?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.connections import NotConfigured
from syncengine.reconciliation.export import as_dict, table, write_csv
from syncengine.reconciliation.report import Report
from syncengine.reconciliation.service import reconcile
from tenants.models import Integration


class Command(BaseCommand):
    """Exit 0 if every approved invoice of the period is posted once, else 1."""

    requires_system_checks = ()  # they would load all pages and the API
    help = (
        "Compare each approved Basware invoice of a period, by the date of its voucher, with what SAP holds. "
        "Both systems are read afresh, and nothing is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("integration", type=int, metavar="INTEGRATION_ID")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="DATE")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="DATE")
        parser.add_argument("--format", choices=["table", "json", "csv"], default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        integration = Integration.objects.filter(pk=options["integration"]).first()
        if integration is None:
            raise CommandError(f"There is no integration {options['integration']}.")
        if options["last"] < options["first"]:
            raise CommandError("The period ends before it begins.")
        try:
            report = reconcile(integration, options["first"], options["last"])
        except NotConfigured as error:
            raise CommandError(str(error)) from error
        except ConnectorError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error
        writers: dict[str, Callable[[Report], None]] = {"table": self._table, "json": self._json, "csv": self._csv}
        writers[options["format"]](report)
        if not report.is_clean:
            sys.exit(1)

    def _table(self, report: Report) -> None:
        for line in table(report):
            self.stdout.write(line)

    def _json(self, report: Report) -> None:
        self.stdout.write(json.dumps(as_dict(report), ensure_ascii=False))

    def _csv(self, report: Report) -> None:
        write_csv(report, self.stdout)
