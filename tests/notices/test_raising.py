"""Raising notices: one open per subject, told to those who chose it, told again when something is new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from syncengine.models import Notice, NoticeDelivery, NoticeRead
from syncengine.notices import Kind, close_notices, raise_notice, tell_once
from syncengine.notices.kinds import WORDS, default_choice
from syncengine.notices.raising import next_digest
from tenants.models import HowToTell, NotificationChoice, Role, SlackWebhook
from tests import factories
from tests.engine.world import in_threads

pytestmark = pytest.mark.django_db


def paused(integration, **more):
    return raise_notice(integration, Kind.INTEGRATION_PAUSED, "pause", "Finland is paused.", "Ping.", **more)


def recipients():
    return sorted(NoticeDelivery.objects.values_list("membership__user__email", flat=True))


def test_every_kind_has_words():
    assert set(WORDS) == set(Kind)


def test_the_same_subject_is_told_once_while_it_is_open(integration, operator):
    first, second = paused(integration), paused(integration)
    assert first.pk == second.pk
    assert NoticeDelivery.objects.count() == 1


def test_its_words_follow_what_is_true_now(integration):
    raise_notice(integration, Kind.RECORDS_FAILED, "vendors:x", "1 vendor failed.")
    notice = raise_notice(integration, Kind.RECORDS_FAILED, "vendors:x", "9 vendors failed.", count=9)
    assert (notice.message, notice.count, notice.round) == ("9 vendors failed.", 9, 1)


def test_once_closed_the_next_time_is_told_anew(integration, operator):
    first = paused(integration)
    assert close_notices(integration, Kind.INTEGRATION_PAUSED) == 1
    assert paused(integration).pk != first.pk
    assert NoticeDelivery.objects.count() == 2


def test_what_is_over_at_once_stays_in_the_list_but_not_open(integration):
    notice = tell_once(integration, Kind.INTEGRATION_RESUMED, "pause", "Finland goes on.")
    assert Notice.objects.get(pk=notice.pk).closed_at is not None


def test_something_new_within_the_hour_is_not_told_again(integration, operator):
    paused(integration)
    paused(integration, happened_at=timezone.now())
    assert NoticeDelivery.objects.count() == 1


def test_something_new_after_an_hour_is_told_and_unread_again(integration, operator):
    notice = paused(integration)
    NoticeRead.objects.create(notice=notice, user=operator)
    Notice.objects.update(told_at=timezone.now() - timedelta(hours=2))
    notice = paused(integration, happened_at=timezone.now() - timedelta(minutes=1))
    assert notice.round == 2
    assert NoticeDelivery.objects.count() == 2
    assert not NoticeRead.objects.exists()


def test_what_was_told_already_is_not_told_again_however_late_it_is(integration, operator):
    paused(integration)
    Notice.objects.update(told_at=timezone.now() - timedelta(days=2))
    paused(integration, happened_at=timezone.now() - timedelta(days=3))
    assert NoticeDelivery.objects.count() == 1


def test_those_who_can_do_something_are_told_unless_they_chose_otherwise(integration, owner, admin, operator, viewer):
    NotificationChoice.objects.create(
        membership=admin.memberships.get(), kind=Kind.INTEGRATION_PAUSED, how=HowToTell.NONE
    )
    NotificationChoice.objects.create(
        membership=viewer.memberships.get(), kind=Kind.INTEGRATION_PAUSED, how=HowToTell.IMMEDIATE
    )
    paused(integration)
    assert recipients() == sorted([owner.email, operator.email, viewer.email])


def test_nobody_of_another_organization_and_nobody_inactive_is_told(integration, operator, outsider):
    factories.member(integration.organization, "admin", email="gone@example.com", is_active=False)
    paused(integration)
    assert recipients() == [operator.email]


def test_who_chose_once_a_day_is_told_in_the_morning(integration, operator):
    membership = operator.memberships.get()
    NotificationChoice.objects.create(membership=membership, kind=Kind.INTEGRATION_PAUSED, how=HowToTell.DAILY)
    paused(integration)
    delivery = NoticeDelivery.objects.get()
    assert delivery.digest
    assert delivery.next_attempt_at == next_digest(integration.organization, timezone.now())


@pytest.mark.parametrize(
    ("hour", "zone", "due"),
    [
        (3, "UTC", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        (8, "UTC", datetime(2026, 3, 2, 7, tzinfo=UTC)),
        (3, "Europe/Helsinki", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        (6, "Europe/Helsinki", datetime(2026, 3, 2, 5, tzinfo=UTC)),
    ],
)
def test_the_morning_is_that_of_the_organization(organization, hour, zone, due):
    organization.time_zone = zone
    assert next_digest(organization, datetime(2026, 3, 1, hour, tzinfo=UTC)) == due


def test_slack_gets_the_kinds_that_an_admin_chose(integration):
    SlackWebhook.objects.create(
        organization=integration.organization,
        url={"value": "https://hooks.example.com/x"},
        kinds=[Kind.INTEGRATION_PAUSED],
        changed_at=timezone.now(),
    )
    paused(integration)
    raise_notice(integration, Kind.RUN_FAILED, "vendors", "It failed.")
    assert list(NoticeDelivery.objects.values_list("channel", "notice__kind")) == [("slack", "integration_paused")]


@pytest.mark.parametrize("role", Role)
def test_viewers_are_not_mailed_by_default(role):
    expected = HowToTell.NONE if role == Role.VIEWER else HowToTell.IMMEDIATE
    assert default_choice(role, Kind.RUN_FAILED) == expected


@pytest.mark.django_db(transaction=True)
def test_workers_who_meet_the_same_at_the_same_moment_raise_one_notice(integration, operator):
    in_threads(*[lambda: paused(integration)] * 5)
    assert (Notice.objects.count(), NoticeDelivery.objects.count()) == (1, 1)


def test_a_deed_that_is_rolled_back_tells_nobody(integration, operator):
    with transaction.atomic():
        paused(integration)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
