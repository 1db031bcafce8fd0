"""A run that came to nothing is told of, once, until one of the same flow goes better."""

from __future__ import annotations

import pytest

from syncengine.engine.execution import Obstacle, end
from syncengine.engine.pauses import pause
from syncengine.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db
AWAY = Obstacle("unreachable", "SAP does not answer.", "Is the Service Layer up?")


def run_of(integration, why=AWAY, **fields):
    run = factories.RunFactory(integration=integration, flow="vendors", status="running", **fields)
    end(run, why)
    return run


def test_a_failed_run_is_told_with_its_reason_and_linked(integration):
    run = run_of(integration)
    notice = Notice.objects.get()
    assert (notice.kind, notice.path, notice.hint) == ("run_failed", f"runs/{run.pk}/", AWAY.hint)
    assert notice.message == "Finland: the run of vendors failed. SAP does not answer."


def test_the_next_one_that_fails_adds_no_notice_and_one_that_works_ends_it(integration):
    run_of(integration)
    latest = run_of(integration)
    assert Notice.objects.get(closed_at=None).path == f"runs/{latest.pk}/"
    run_of(integration, why=None)
    assert not Notice.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize("code", ["integration_paused", "integration_disabled", "flow_disabled"])
def test_what_did_not_begin_on_purpose_is_not_told(integration, code):
    run_of(integration, why=Obstacle(code, "It is off."))
    assert not Notice.objects.exists()


def test_a_run_that_a_pause_ended_is_told_as_the_pause_alone(integration):
    pause(integration, "The password was refused.")
    run_of(integration, why=Obstacle("login_refused", "The password was refused."))
    assert list(Notice.objects.values_list("kind", flat=True)) == ["integration_paused"]
