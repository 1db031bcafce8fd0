"""Pages by key: each row once, in both directions."""

from __future__ import annotations

import pytest

from portal.views.keyset import keyset_page
from syncengine.models import Run
from tests import factories


@pytest.fixture
def runs(integration):
    return [factories.RunFactory(integration=integration, status="succeeded") for _ in range(7)]


def page(size=3, **params):
    return keyset_page(Run.objects.all(), params, size=size)


def keys(found):
    return [row.pk for row in found.rows]


def test_the_first_page_has_the_newest_and_nothing_newer(runs):
    found = page()
    assert keys(found) == [run.pk for run in reversed(runs[-3:])]
    assert found.newer is None
    assert found.older == runs[-3].pk


def test_walking_to_older_pages_shows_each_row_once(runs):
    seen, before = [], None
    while True:
        found = page(**({"before": str(before)} if before else {}))
        seen += keys(found)
        before = found.older
        if before is None:
            break
    assert seen == [run.pk for run in reversed(runs)]


def test_walking_back_leads_to_the_first_page(runs):
    second = page(before=str(page().older))
    back = page(after=str(second.newer))
    assert keys(back) == keys(page())
    assert back.newer is None
    assert back.older == back.rows[-1].pk


def test_the_last_page_says_that_there_is_nothing_older(runs):
    assert page(before=str(runs[1].pk)).older is None


def test_an_empty_list_has_no_neighbours(db):
    found = page()
    assert (found.rows, found.older, found.newer) == ([], None, None)


@pytest.mark.parametrize("nonsense", ["", "abc", "-1", "١٢", "9" * 40, "1.5"])
def test_nonsense_in_the_url_means_the_first_page(runs, nonsense):
    assert keys(page(before=nonsense)) == keys(page())
