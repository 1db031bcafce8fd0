"""Migrations that would break a running portal of the version before (django-migration-linter).

python -m tests.lint.migrations
"""

from __future__ import annotations

import os
import sys

import django

# Made before the first release: no running portal writes the tables as they were, without the new columns.
UNRELEASED = (
    "0002_audit_chain",
    "0004_webhook",
    "0005_replay_and_repair",
    "0007_notices",
    "0012_repairs",
    "0005_accounts",
    "0006_language",
    "0018_tallies",
    "0021_source_print",
)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django_migration_linter import MigrationLinter

    linter = MigrationLinter(
        path=".",
        no_cache=True,
        quiet=["ok", "ignore"],
        include_apps=["tenants", "syncengine"],
        ignore_name=UNRELEASED,
        ignore_initial_migrations=True,  # they make the tables: no older version reads them
    )
    linter.lint_all_migrations()
    return 1 if linter.has_errors else 0


if __name__ == "__main__":
    sys.exit(main())
