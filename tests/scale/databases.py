"""A small and a large database with the same load in kind, on a server of their own.

SCALE_SERVER names a server to use instead, `postgres://OWNER@host:port`: what it has is used again, what is missing is
made. The owner is no superuser, as in production: row security binds it too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command

from syncengine import load
from tenants.models import Integration, Organization
from tenants.row_security import forget_role
from tests.postgres import moved_to, running_server, skip_without_binaries

OWNER = "portal"
SMALL, LARGE = "scale_small", "scale_large"
SIZES = {SMALL: load.Size(2, 4000, 10), LARGE: load.Size()}
OWNER_OF_ALL = "load@example.com"


@contextmanager
def server() -> Iterator[str]:
    """Its URL, without a database."""
    given = os.environ.get("SCALE_SERVER")
    if given:
        yield given
        return
    skip_without_binaries()
    with running_server() as running:
        with psycopg.connect(f"{running.url}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB")
        yield running.url.replace("postgres@", f"{OWNER}@")


@contextmanager
def loaded(server: str, name: str, say: object = print) -> Iterator[Integration]:
    """Work on that database; its largest integration."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(f'CREATE DATABASE "{name}"')
    with moved_to(f"{server}/{name}?conn_max_age=60"):  # as settings.DATABASES has it
        forget_role()
        if not Organization.objects.exists():
            size = SIZES[name]
            call_command(
                "generate_load", into_this_database=True, organizations=size.organizations, records=size.records,
                events_per_record=size.events_per_record, owner=OWNER_OF_ALL,
            )  # fmt: skip
        yield Integration.objects.select_related("organization").order_by("pk")[0]
    forget_role()
