"""Filters take what makes sense and leave the rest."""

from __future__ import annotations

from datetime import date

import pytest
from django.http import QueryDict

from portal.forms.filters import AuditFilterForm, RecordFilterForm, RunFilterForm
from syncengine.engine.search import MOST_WORDS
from syncengine.flows import registry
from syncengine.models import Record


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", {}),
        ("flow=vendors&status=failed", {"flow": "vendors", "status": "failed"}),
        ("flow=nonsense&status=failed", {"status": "failed"}),
        ("search=+nordic++paper+&before=12", {"search": "nordic  paper"}),
        ("unknown=1", {}),
        ("search=" + "x" * 101, {}),
    ],
)
def test_what_makes_no_sense_filters_nothing(query, chosen):
    assert RecordFilterForm(QueryDict(query)).chosen == chosen


def test_a_list_offers_every_flow_by_its_title():
    offered = dict(RunFilterForm(QueryDict("")).fields["flow"].choices)
    assert offered == {"": "All flows", **{name: flow.title for name, flow in registry.flows().items()}}


def test_a_very_long_search_asks_for_its_first_words_only():
    words = " ".join(f"word{letter}" for letter in "abcdefgh")
    sql = str(RecordFilterForm(QueryDict(f"search={words}")).narrow(Record.objects.all()).query)
    assert sql.count('"title"') - sql.split("FROM", maxsplit=1)[0].count('"title"') == MOST_WORDS


def test_days_of_the_trail_are_read_as_days():
    chosen = AuditFilterForm(QueryDict("after_day=2026-05-04&before_day=nonsense")).chosen
    assert chosen == {"after_day": date(2026, 5, 4)}


def test_an_id_beyond_all_databases_filters_nothing():
    assert AuditFilterForm(QueryDict(f"record={10**30}&actor=anna")).chosen == {"actor": "anna"}
