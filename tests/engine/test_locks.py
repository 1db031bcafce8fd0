"""Locks that are kept alive while their holder lives."""

from __future__ import annotations

import time

import pytest

from syncengine.engine import locks
from syncengine.models import NamedLock


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_renewed_as_long_as_its_holder_works(settings):
    settings.LEASE_SECONDS = 0.09
    with locks.held("posting", "x", seconds=0.5, wait=0):
        first = NamedLock.objects.get().expires_at
        give_up = time.monotonic() + 5
        while NamedLock.objects.get().expires_at == first:
            assert time.monotonic() < give_up
            time.sleep(0.01)
    assert not NamedLock.objects.exists()
