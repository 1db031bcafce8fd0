"""The result of a ping on its page: groups, times, changes, history, and the text to send."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from portal.templatetags.ping_ui import bar_width, check_title, check_tone
from portal.views.ping_results import group_of, groups_of, plot_of
from syncengine.connectors.checks import Check
from syncengine.engine.ping_history import entry_of, keep

GOOD = Check("dns", True, 4, "sap.example.com is 203.0.113.7.")
SOON = Check("tls", True, 40, "Until 2026-06-01.", "Renew it.", warning=True, request="Please renew <it>.")
DENIED = Check("write:PurchaseInvoices", False, 90, "May not add.", "Grant it.", request="Please grant user x …")
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "group", "title"),
    [
        ("dns", "network", "Name"),
        ("reach", "network", "Answer"),
        ("login", "setup", "Log-in"),
        ("read:BusinessPartners", "read", "Read BusinessPartners"),
        ("write:vendors", "write", "Add vendors"),
        ("webhook:test", "webhook", "ConnectionTest"),
        ("something:new", "setup", "something:new"),
    ],
)
def test_each_check_has_its_group_and_its_name_in_words(name, group, title):
    assert (group_of(name), check_title(name)) == (group, title)


def test_a_check_looks_the_same_as_it_comes_and_as_it_was_stored():
    for check, tone in ((GOOD, "ok"), (SOON, "warn"), (DENIED, "bad")):
        assert check_tone(check) == check_tone(asdict(check)) == tone


def test_a_check_stored_before_there_were_warnings_still_shows():
    assert check_tone({"name": "reach", "ok": True}) == "ok"


def test_bars_grow_with_time_and_end_at_ten_seconds():
    widths = [bar_width(milliseconds) for milliseconds in (0, 5, 50, 500, 10_000, 60_000)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-2], widths[-1]) == (0, 100, 100)


def test_groups_count_what_wants_a_look_and_open_there():
    network, write = groups_of([asdict(check) for check in (GOOD, SOON, DENIED)])
    assert (network.key, network.failed, network.warnings, network.latency_ms) == ("network", 0, 1, 44)
    assert (write.key, write.failed) == ("write", 1)
    assert network.is_open
    assert [check["name"] for check in network.shown] == ["tls"]
    assert [check["name"] for check in network.folded] == ["dns"]
    (well,) = groups_of([asdict(GOOD)])
    assert (well.is_open, len(well.shown), well.folded) == (False, 1, [])


def test_a_plot_needs_two_pings_and_marks_those_that_failed():
    assert plot_of([(NOON, 5, True)]) is None
    plot = plot_of([(NOON, 100, True), (NOON + timedelta(days=1), 400, False), (NOON + timedelta(days=2), 200, True)])
    assert (plot.count, plot.lowest, plot.highest, plot.since) == (3, 100, 400, NOON)
    assert len(plot.points.split()) == 3
    assert plot.troubles == [(150.0, 4.0)]


def test_pings_of_no_time_at_all_are_a_flat_line():
    assert plot_of([(NOON, 0, True), (NOON, 0, True)]).points == "4.0,44.0 296.0,44.0"


# --- the page


@pytest.fixture
def pinged(connected):
    """SAP was well yesterday and is not today."""
    now = timezone.now()
    well = [GOOD, Check("write:PurchaseInvoices", True, 9, "May add.")]
    keep(connected, entry_of("sap_b1", well), "nightly", now - timedelta(days=1))
    keep(connected, entry_of("sap_b1", [GOOD, SOON, DENIED]), "person", now)
    return connected


def page_of(people, root, role="viewer"):
    return people[role].get(f"{root}connections/").content.decode()


def test_the_last_result_shows_at_once_with_what_changed(root, people, pinged):
    page = page_of(people, root)
    assert "Changed since the ping" in page
    assert "1 days ago" in page or "24 h ago" in page
    assert "was ok, now: May not add." in page
    assert "Ping failed" in page


def test_what_to_send_to_the_administrator_is_there_to_copy_and_escaped(root, people, pinged):
    page = page_of(people, root)
    assert "Please grant user x …" in page
    assert "Please renew &lt;it&gt;." in page
    assert page.count('type="button" data-copy>') == 2


def test_the_page_has_no_inline_script_or_style_for_it(root, people, pinged):
    page = page_of(people, root)
    assert 'src="/static/connections' in page
    assert "onclick" not in page
    assert "style=" not in page


def test_the_history_is_plotted_in_words_too(root, people, pinged):
    assert "Time of the last 2 pings: between 13 ms and 134 ms" in page_of(people, root)
    assert "1 with a failed check" in page_of(people, root)


def test_a_connection_that_was_never_pinged_shows_neither(root, people):
    page = page_of(people, root)
    assert "Changed since" not in page
    assert "<polyline" not in page


def test_the_page_asks_a_bounded_number_of_questions(root, people, pinged, django_assert_max_num_queries):
    page_of(people, root)
    with django_assert_max_num_queries(14):
        page_of(people, root)


def test_drift_wants_attention_on_the_dashboard(root, people, pinged):
    page = people["viewer"].get(root).content.decode()
    assert "SAP Business One is not as it was." in page
    assert "Worse: Add PurchaseInvoices." in page
    assert "Basware P2P is not as it was" not in page


def test_what_got_better_wants_none(root, people, pinged):
    keep(pinged, entry_of("sap_b1", [GOOD, SOON, Check("write:PurchaseInvoices", True, 9, "May.")]), "person", NOON)
    assert "is not as it was" not in people["viewer"].get(root).content.decode()
