"""What if: the plan's page, its filters and states, the page of all flows, and the button that applies it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.templatetags.plans_ui import LONGEST, field_value
from portal.views.plan_summary import causes_of, kinds_of
from syncengine.models import Plan, PlanItem, Run
from tests import factories
from tests.portal.views.test_queries import MOST_QUERIES, queries_of

RESULT = {
    "counts": {"unchanged": 7, "post": 2, "fail": 1},
    "totals": {"post": {"EUR": "81204.10", "SEK": "5"}, "fail": {"EUR": "12.50"}},
    "causes": [{"cause": "problems: Account 4010 is closed.", "count": 1, "totals": {"EUR": "12.50"}}],
}


@pytest.fixture
def plan(connected) -> Plan:
    """Two invoices to be posted and one that would fail."""
    run = {"integration": connected, "flow": "invoices", "mode": "dry_run", "status": "succeeded", "result": RESULT}
    made = factories.PlanFactory(run=factories.RunFactory(**run), kept=3)
    changes = [{"path": "CardCode", "old": None, "new": "V10"}, {"path": "Lines[0].Price", "old": 1, "new": None}]
    for amount in ("81204.10", "0"):
        factories.PlanItemFactory(plan=made, action="post", amount=Decimal(amount), currency="EUR", changes=changes)
    factories.PlanItemFactory(
        plan=made, action="fail", title="Bad <one>", cause="problems: Account 4010 is closed.",
        problems=[{"path": "rows[0]", "message": "Account 4010 is closed.", "hint": "Open it."},
                  {"path": "rows[1]", "message": "Tax code I99 does not exist."}],
    )  # fmt: skip
    return made


def path_of(plan: Plan, more: str = "") -> str:
    return f"/o/{plan.integration.organization.slug}/runs/{plan.run_id}/plan/{more}"


def page_of(plan: Plan, people, role: str = "operator", more: str = "") -> str:
    answer = people[role].get(path_of(plan, more))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_plan_shows_actions_money_causes_and_every_field(plan, people):
    page = page_of(plan, people)
    assert "2 items to be sent to SAP Business One" in page
    assert "81,204.10 EUR" in page
    assert "5.00 SEK" in page
    assert "What would fail, and why" in page
    assert "Account 4010 is closed. </a>" in page or "Account 4010 is closed.</a>" in page
    assert "Tax code I99 does not exist." in page
    assert "Bad &lt;one&gt;" in page
    assert "<code>Lines[0].Price</code>" in page
    assert "nothing" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [("?action=post", 2), ("?action=fail", 1), ("?action=wait", 0), ("?action=nonsense", 3), ("", 3)],
)
def test_items_are_narrowed_by_the_url(plan, people, query, shown):
    assert page_of(plan, people, more=query).count("<details> <summary>") == shown


def test_items_are_narrowed_by_cause(plan, people):
    assert page_of(plan, people, more="?cause=problems:+Account+4010+is+closed.").count("<details> <summary>") == 1
    assert "No item fits this filter" in page_of(plan, people, more="?cause=another")


def test_a_viewer_sees_the_plan_and_no_button(plan, people):
    page = page_of(plan, people, "viewer")
    assert "Apply this plan" not in page
    assert "An operator can apply it." in page


def test_the_button_names_numbers_and_money_and_leads_to_the_run(plan, people):
    page = page_of(plan, people)
    assert "Yes, send these 2" in page
    answer = people["operator"].post(path_of(plan, "apply/"))
    begun = Run.objects.get(mode="apply")
    assert answer["Location"] == f"/o/{plan.integration.organization.slug}/runs/{begun.pk}/"
    assert (begun.requested_by, begun.trigger) == ("operator@nordic-paper.example.com", "person")
    again = people["owner"].post(path_of(plan, "apply/"))
    assert again["Location"] == answer["Location"]
    assert Run.objects.filter(mode="apply").count() == 1
    page = page_of(plan, people)
    assert "This plan was applied" in page
    assert "Apply this plan" not in page


def test_a_stale_plan_says_why_and_offers_another_look(plan, people):
    Plan.objects.update(created_at=timezone.now() - timedelta(hours=25))
    page = page_of(plan, people)
    assert "The plan is older than 24 hours." in page
    assert "Apply this plan" not in page
    assert "Look again" in page
    answer = people["operator"].post(path_of(plan, "apply/"), follow=True)
    assert answer.redirect_chain[-1][0] == path_of(plan)
    assert "older than 24 hours" in answer.content.decode()
    assert not Run.objects.filter(mode="apply").exists()


def test_what_became_of_the_items_is_told(plan, people):
    item = PlanItem.objects.filter(action="post").first()
    PlanItem.objects.filter(pk=item.pk).update(fate="changed", remark="Something else would be sent now.")
    page = page_of(plan, people)
    assert "Changed since: look again" in page
    assert "Something else would be sent now." in page


def test_a_plan_being_made_asks_again_by_itself_with_its_filter(plan, people):
    Run.objects.filter(pk=plan.run_id).update(status="running", started_at=timezone.now(), read=40, expected=120)
    page = page_of(plan, people, more="?action=post")
    assert f'hx-get="{path_of(plan, "?action=post")}"' in page
    assert "<strong>40</strong> of about 120" in page
    part = people["viewer"].get(path_of(plan), HTTP_HX_REQUEST="true").content.decode()
    assert part.lstrip().startswith('<div id="plan"')
    Run.objects.filter(pk=plan.run_id).update(status="succeeded")
    part = people["operator"].get(path_of(plan), HTTP_HX_REQUEST="true").content.decode()
    assert "hx-trigger" not in part
    assert "Look again" in part


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "queued"}, "Nothing found yet"),
        ({"status": "failed", "error_message": "SAP is away.", "error_hint": "Ask."}, "SAP is away."),
        ({"status": "succeeded", "read": 12}, "There is no plan"),
    ],
)
def test_a_run_without_a_plan_says_so(organization, connected, people, fields, words):
    run = factories.RunFactory(integration=connected, mode="dry_run", **fields)
    assert words in people["viewer"].get(f"/o/{organization.slug}/runs/{run.pk}/plan/").content.decode()


def test_nothing_to_send_is_good_news(connected, people):
    run = factories.RunFactory(integration=connected, mode="dry_run", status="succeeded", read=1200)
    page = page_of(factories.PlanFactory(run=run), people)
    assert "Nothing would be sent" in page
    assert "All of the 1,200 records" in page


def test_what_was_too_much_for_a_plan_is_said(plan, people):
    Plan.objects.update(left_out=1234)
    assert "the first 50,000 items are listed and can be applied, 1,234 more are only counted" in page_of(plan, people)


def test_long_plans_are_paged_by_key_with_a_constant_number_of_questions(plan, people):
    before = len(queries_of(people["viewer"], path_of(plan)))
    for _ in range(60):
        factories.PlanItemFactory(plan=plan, action="post")
    after = queries_of(people["viewer"], path_of(plan))
    assert len(after) == before <= MOST_QUERIES
    assert not [sql for sql in after if "OFFSET" in sql]
    page = page_of(plan, people, more="?action=post")
    assert page.count("<details> <summary>") == 50
    assert "action=post&amp;before=" in page or "before=" in page


# All flows


def test_all_flows_side_by_side_each_as_it_stands(root, connected, plan, people):
    given = {"integration": connected, "mode": "dry_run"}
    factories.RunFactory(**given, flow="vendors", status="running", read=30)
    broken = factories.RunFactory(
        **given, flow="projects", status="failed", error_code="x", error_message="SAP is away"
    )
    factories.PlanFactory(run=broken)
    done = factories.RunFactory(**given, flow="tax_codes", status="succeeded", result={"counts": {"create": 1}})
    begun = factories.RunFactory(integration=connected, flow="tax_codes", mode="apply", status="succeeded")
    factories.PlanFactory(run=done, applied_in=begun)
    empty = factories.RunFactory(**given, flow="gl_accounts", status="succeeded", result={"counts": {"unchanged": 9}})
    factories.PlanFactory(run=empty)
    old = factories.RunFactory(**given, flow="cost_centers", status="succeeded", result={"counts": {"create": 1}})
    Plan.objects.filter(pk=factories.PlanFactory(run=old).pk).update(created_at=timezone.now() - timedelta(days=2))
    page = people["operator"].get(f"{root}what-if/").content.decode()
    for words in (
        "Not looked at yet", "Being made", "Did not come to an end", "SAP is away", "Applied", "Nothing to send",
        "Too old", "Ready to apply", "30 read so far",
    ):  # fmt: skip
        assert words in page, words
    assert 'hx-trigger="every 2s"' in page
    assert len(queries_of(people["operator"], f"{root}what-if/")) <= MOST_QUERIES


def test_the_newest_dry_run_of_a_flow_is_shown(root, connected, plan, people):
    newer = factories.PlanFactory(
        run=factories.RunFactory(integration=connected, flow="invoices", mode="dry_run", status="succeeded")
    )
    page = people["viewer"].get(f"{root}what-if/").content.decode()
    assert f"runs/{newer.run_id}/plan/" in page
    assert f"runs/{plan.run_id}/plan/" not in page


def test_all_plans_are_applied_by_one_click_or_none_is(root, connected, plan, people):
    vendors = factories.PlanFactory(
        run=factories.RunFactory(
            integration=connected, flow="vendors", mode="dry_run", status="succeeded", result={"counts": {"create": 1}}
        )
    )
    factories.PlanItemFactory(plan=vendors)
    page = people["operator"].get(f"{root}what-if/").content.decode()
    assert "3 items are written now, flow after flow:" in " ".join(page.split())
    both = {"run": [plan.run_id, vendors.run_id, "nonsense", 10**30]}
    Plan.objects.filter(pk=plan.pk).update(mapping_version=4)
    refused = people["operator"].post(f"{root}what-if/apply/", both, follow=True).content.decode()
    assert "field mapping was changed" in refused
    assert not Run.objects.filter(mode="apply").exists()
    Plan.objects.filter(pk=plan.pk).update(mapping_version=0)
    done = people["operator"].post(f"{root}what-if/apply/", both, follow=True).content.decode()
    assert "2 plans are being applied" in done
    first, second = Run.objects.filter(mode="apply").order_by("pk")
    assert (first.flow, second.flow, second.after) == ("vendors", "invoices", first)


def test_a_plan_of_another_integration_is_not_applied_from_here(root, elsewhere, people):
    theirs = factories.PlanFactory(run__integration=factories.IntegrationFactory(organization=elsewhere))
    factories.PlanItemFactory(plan=theirs)
    people["owner"].post(f"{root}what-if/apply/", {"run": [theirs.run_id]})
    assert not Run.objects.filter(mode="apply").exists()


def test_a_dry_run_of_all_flows_leads_to_the_page_of_all(root, people):
    answer = people["operator"].post(f"{root}runs/start/", {"flow": "all", "mode": "dry_run"})
    assert answer["Location"] == f"{root}what-if/"


# Words


def test_sums_are_exact_and_what_is_unchanged_comes_last():
    found = kinds_of(RESULT)
    assert [kind.action for kind in found] == ["post", "fail", "unchanged"]
    assert found[0].sums == [("EUR", Decimal("81204.10")), ("SEK", Decimal(5))]
    assert [kind.is_sent for kind in found] == [True, False, False]
    assert [(one.words, one.count) for one in causes_of(RESULT)] == [("Account 4010 is closed.", 1)]
    assert kinds_of(None) == causes_of(None) == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "nothing"),
        ("V10", "V10"),
        (Decimal("10.10"), "10.10"),
        (True, "true"),
        ([1], "[1]"),
        ("x" * (LONGEST + 5), "x" * LONGEST + "…"),
    ],
)
def test_a_value_of_a_payload_is_one_line(value, shown):
    assert field_value(value) == shown


def test_the_most_frequent_causes_are_shown_and_the_rest_is_counted(plan, people):
    causes = [{"cause": f"problems: Cause {number}.", "count": 1, "totals": {}} for number in range(13)]
    Run.objects.filter(pk=plan.run_id).update(result={**RESULT, "causes": causes})
    page = page_of(plan, people)
    assert "Cause 9." in page
    assert "Cause 10." not in page
    assert "and for 3 causes more" in page
