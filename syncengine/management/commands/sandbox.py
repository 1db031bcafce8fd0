"""`manage.py sandbox`: the two sandbox servers alone; prints their addresses and credentials as JSON."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from syncengine.sandbox.launch import add_arguments, options_from, run


class Command(BaseCommand):
    help = "Starts both sandbox servers and the control API and prints one line of JSON: addresses and credentials."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run(options_from(options))
