"""Causes of failure: some in rows alone, some between two real sandboxes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from syncengine.models import Record
from syncengine.repairs import groups
from syncengine.repairs.deeds import Cause
from tenants.models import Integration
from tests import factories
from tests.engine.world import PERSON, quick, running_sandboxes, sandboxes, world

__all__ = ["quick", "running_sandboxes", "sandboxes", "world"]

CLOSED = "problems: G/L account 4010 is frozen in SAP."


@pytest.fixture
def integration(db: None) -> Integration:
    made: Integration = factories.IntegrationFactory()
    return made


@pytest.fixture
def failed(integration: Integration) -> Callable[..., list[Record]]:
    """`failed(3, CLOSED)`: so many invoices that failed for it, the last of them just now."""

    def make(count: int = 1, failed_for: str = CLOSED, **fields: object) -> list[Record]:
        now = timezone.now()
        given = {
            "status": "failed", "stage": "checked", "error_code": failed_for.partition(":")[0], "cause": failed_for,
            "failed_for": failed_for, "amount": Decimal("100.10"), **fields,
        }  # fmt: skip
        return [
            factories.invoice(integration, failed_at=now - timedelta(minutes=count - number), **given)
            for number in range(count)
        ]

    return make


@pytest.fixture
def cause_of(integration: Integration) -> Callable[..., Cause]:
    """`cause_of(CLOSED)`: the cause with its counts as they are now, for the operator to act on."""

    def find(cause: str = CLOSED, flow: str = "invoices") -> Cause:
        group = groups.one(integration, flow, cause)
        assert group is not None
        return Cause(integration, group, PERSON)

    return find
