"""The same ladder for every page: works, weaker role, outsider, wrong method, bad id, nobody."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver, resolve

from syncengine.engine import previews
from syncengine.models import PeriodEnd
from syncengine.period_end import service
from syncengine.repairs import effects
from tests.factories import BASWARE
from tests.portal.views.conftest import Rung

ORG = "/o/{slug}/"
ONE = f"{ORG}integrations/{{integration}}/"
CAUSE = {"flow": "vendors", "cause": "mapping"}
CAUSE_QUERY = "flow=vendors&cause=mapping"

PAGES = [
    Rung("GET", f"{ONE}", "viewer", 200),
    Rung("GET", f"{ONE}live/", "viewer", 200),
    Rung("GET", f"{ONE}figures/", "viewer", 200),
    Rung("GET", f"{ONE}settings/", "viewer", 200),
    Rung("GET", f"{ONE}configuration/", "viewer", 200),
    Rung("GET", f"{ONE}configuration/file/", "viewer", 200),
    Rung("GET", f"{ONE}start/", "viewer", 200),
    Rung("GET", f"{ONE}start/leave-sandbox/", "admin", 200),
    Rung("GET", f"{ONE}connections/", "viewer", 200),
    Rung("GET", f"{ONE}connections/sap_b1/", "viewer", 200),
    Rung("GET", f"{ONE}webhook/", "viewer", 200),
    Rung("GET", f"{ONE}flows/", "viewer", 200),
    Rung("GET", f"{ONE}flows/vendors/", "viewer", 200),
    Rung("GET", f"{ONE}runs/", "viewer", 200),
    Rung("GET", f"{ONE}records/", "viewer", 200),
    Rung("GET", f"{ONE}records/export/", "viewer", 200),
    Rung("GET", f"{ORG}search/?q=nothing-is-called-so", "viewer", 200),
    Rung("GET", f"{ORG}search/suggestions/?q=nordic", "viewer", 200),
    Rung("GET", f"{ONE}repairs/", "viewer", 200),
    Rung("GET", f"{ONE}repairs/cause/?{CAUSE_QUERY}", "viewer", 200),
    Rung("GET", f"{ONE}repairs/cause/progress/?{CAUSE_QUERY}", "viewer", 200),
    Rung("GET", f"{ONE}repairs/cause/choices/?{CAUSE_QUERY}", "operator", 200),
    Rung("GET", f"{ONE}period-end/", "viewer", 200),
    Rung("GET", f"{ONE}reconciliation/", "viewer", 200),
    Rung("GET", f"{ONE}mappings/vendors/", "viewer", 200),
    Rung("GET", f"{ONE}mappings/vendors/waiting/", "viewer", 200),
    Rung("GET", ORG, "viewer", 302),
    Rung("GET", f"{ORG}integrations/new/", "admin", 200),
    Rung("GET", f"{ORG}runs/{{run}}/", "viewer", 200),
    Rung("GET", f"{ORG}runs/{{run}}/progress/", "viewer", 200),
    Rung("GET", f"{ORG}runs/{{run}}/plan/", "viewer", 200),
    Rung("GET", f"{ONE}what-if/", "viewer", 200),
    Rung("GET", f"{ORG}records/{{record}}/", "viewer", 200),
    Rung("GET", f"{ORG}calls/{{call}}/", "viewer", 200),
    Rung("GET", f"{ORG}schedule-words/?schedule=0+2+*+*+*", "viewer", 200),
    Rung("GET", f"{ORG}audit/", "viewer", 200),
    Rung("GET", f"{ORG}notices/", "viewer", 200),
    Rung("GET", f"{ORG}notices/settings/", "viewer", 200),
    Rung("GET", f"{ORG}hooks/", "viewer", 200),
    Rung("GET", f"{ORG}hooks/{{hook}}/", "viewer", 200),
    Rung("GET", f"{ORG}hook-deliveries/{{delivery}}/", "viewer", 200),
    Rung("GET", f"{ORG}members/", "viewer", 200),
    Rung("GET", f"{ORG}api-keys/", "admin", 200),
    Rung("GET", f"{ORG}organization/", "viewer", 200),
    Rung("GET", f"{ORG}organization/sign-in/", "admin", 200),
    Rung("GET", f"{ORG}organization/delete/", "owner", 200),
    Rung("GET", f"{ONE}remove/", "admin", 200),
]
DEEDS = [
    Rung("POST", f"{ORG}look-around/", "admin", 302),
    Rung("POST", f"{ONE}start/sandbox/", "admin", 302),
    Rung("POST", f"{ONE}start/leave-sandbox/", "admin", 409),
    Rung("POST", f"{ONE}start/ping/", "operator", 302),
    Rung("POST", f"{ONE}start/mapping/", "operator", 302),
    Rung("POST", f"{ONE}start/mapping/accept/", "admin", 302),
    Rung("POST", f"{ONE}start/dry-run/", "operator", 302),
    Rung("POST", f"{ONE}start/schedule/", "admin", 302, {"preset": "office"}),
    Rung("POST", f"{ONE}start/live/", "admin", 302),
    Rung("POST", f"{ONE}period-end/", "operator", 302, {"day": "2026-05-31"}),
    Rung("POST", f"{ONE}period-end/{{period}}/cutoff/", "admin", 302, {"cutoff": "2026-06-03"}),
    Rung("POST", f"{ORG}look-around/", "admin", 302),
    Rung("POST", f"{ONE}start/sandbox/", "admin", 302),
    Rung("POST", f"{ONE}start/leave-sandbox/", "admin", 409),
    Rung("POST", f"{ONE}start/ping/", "operator", 302),
    Rung("POST", f"{ONE}start/mapping/", "operator", 302),
    Rung("POST", f"{ONE}start/mapping/accept/", "admin", 302),
    Rung("POST", f"{ONE}start/dry-run/", "operator", 302),
    Rung("POST", f"{ONE}start/schedule/", "admin", 302, {"preset": "office"}),
    Rung("POST", f"{ONE}start/live/", "admin", 302),
    Rung("POST", f"{ONE}period-end/", "operator", 302, {"day": "2026-05-31"}),
    Rung("POST", f"{ONE}period-end/{{period}}/cutoff/", "admin", 302, {"cutoff": "2026-06-03"}),
    Rung("POST", f"{ORG}look-around/", "admin", 302),
    Rung("POST", f"{ONE}start/sandbox/", "admin", 302),
    Rung("POST", f"{ONE}start/leave-sandbox/", "admin", 409),
    Rung("POST", f"{ONE}start/ping/", "operator", 302),
    Rung("POST", f"{ONE}start/mapping/", "operator", 302),
    Rung("POST", f"{ONE}start/mapping/accept/", "admin", 302),
    Rung("POST", f"{ONE}start/dry-run/", "operator", 302),
    Rung("POST", f"{ONE}start/schedule/", "admin", 302, {"preset": "office"}),
    Rung("POST", f"{ONE}start/live/", "admin", 302),
    Rung("POST", f"{ORG}integrations/new/", "admin", 302, {"name": "Sweden"}),
    Rung("POST", f"{ONE}settings/", "admin", 200, {}),
    Rung("POST", f"{ONE}enable/", "admin", 302, {"enabled": "true"}),
    Rung("POST", f"{ONE}connections/basware/", "admin", 302, BASWARE),
    Rung("POST", f"{ONE}ping/", "operator", 302),
    Rung("POST", f"{ONE}configuration/", "admin", 400, {"text": "nonsense"}),
    Rung("POST", f"{ONE}webhook/", "admin", 302),
    Rung("POST", f"{ONE}webhook/{{notification}}/look-again/", "operator", 302),
    Rung("POST", f"{ONE}flows/vendors/", "admin", 302, {"enabled": "on", "schedule": "0 2 * * *"}),
    Rung("POST", f"{ONE}flows/vendors/toggle/", "admin", 302, {"enabled": "false"}),
    Rung("POST", f"{ONE}runs/start/", "operator", 302, {"flow": "gl_accounts", "mode": "dry_run"}),
    Rung("POST", f"{ONE}repairs/cause/try/", "operator", 200, CAUSE),
    Rung("POST", f"{ONE}repairs/cause/replay/", "operator", 302, CAUSE),
    Rung("POST", f"{ONE}repairs/cause/cancel/", "operator", 302, CAUSE),
    Rung("POST", f"{ONE}repairs/cause/put-aside/", "operator", 302, {**CAUSE, "reason": "test data"}),
    Rung("POST", f"{ONE}repairs/cause/assign/", "operator", 302, CAUSE),
    Rung("POST", f"{ONE}repairs/cause/snooze/", "operator", 302, CAUSE),
    Rung("POST", f"{ONE}repairs/cause/note/", "operator", 302, {**CAUSE, "text": "mine"}),
    Rung("POST", f"{ONE}replays/", "operator", 200, {}),
    Rung("POST", f"{ONE}records/views/", "viewer", 302, {"name": "Mine"}),
    Rung("POST", f"{ONE}records/views/{{view}}/remove/", "admin", 302),
    Rung("POST", f"{ONE}mappings/vendors/", "admin", 400, {}),
    Rung("POST", f"{ONE}mappings/vendors/preview/", "operator", 200, {}),
    Rung("POST", f"{ONE}mappings/vendors/cases/{{case}}/remove/", "admin", 302),
    Rung("POST", f"{ORG}runs/{{run}}/plan/apply/", "operator", 302),
    Rung("POST", f"{ONE}what-if/apply/", "operator", 302),
    Rung("POST", f"{ORG}runs/{{run}}/cancel/", "operator", 302),
    Rung("POST", f"{ORG}runs/{{run}}/confirm-closings/", "operator", 302),
    Rung("POST", f"{ORG}records/{{record}}/replay/", "operator", 302),
    Rung("POST", f"{ORG}records/{{record}}/hold/", "operator", 400),
    Rung("POST", f"{ORG}records/{{record}}/try/", "operator", 200),
    Rung("POST", f"{ORG}records/{{record}}/resend/", "operator", 302),
    Rung("POST", f"{ORG}records/{{record}}/ignore/", "operator", 302, {"reason": "test data"}),
    Rung("POST", f"{ORG}records/{{record}}/decide/", "operator", 400, {"decision": "adopt", "reason": "mine"}),
    Rung("POST", f"{ORG}notices/{{notice}}/read/", "viewer", 302),
    Rung("POST", f"{ORG}notices/read/", "viewer", 302),
    Rung("POST", f"{ORG}notices/settings/", "viewer", 400, {"run_failed": "hourly"}),
    Rung("POST", f"{ORG}notices/slack/", "admin", 400, {"url": "nonsense"}),
    Rung("POST", f"{ORG}notices/slack/test/", "admin", 302),
    Rung("POST", f"{ORG}notices/slack/remove/", "admin", 302),
    Rung("POST", f"{ORG}hooks/", "admin", 400, {"url": "nonsense"}),
    Rung("POST", f"{ORG}hooks/{{hook}}/", "admin", 400, {"url": "nonsense"}),
    Rung("POST", f"{ORG}hooks/{{hook}}/secret/", "admin", 200),
    Rung("POST", f"{ORG}hooks/{{hook}}/rotate/", "admin", 200),
    Rung("POST", f"{ORG}hooks/{{hook}}/test/", "admin", 302),
    Rung("POST", f"{ORG}hooks/{{hook}}/remove/", "admin", 302),
    Rung("POST", f"{ORG}hook-deliveries/{{delivery}}/replay/", "operator", 302),
    Rung("POST", f"{ORG}members/invite/", "admin", 302, {"email": "new@example.com", "role": "viewer"}),
    Rung("POST", f"{ORG}members/{{member}}/role/", "admin", 302, {"role": "operator"}),
    Rung("POST", f"{ORG}members/{{member}}/remove/", "admin", 302),
    Rung("POST", f"{ORG}api-keys/", "admin", 200, {"name": "ci", "role": "viewer"}),
    Rung("POST", f"{ORG}api-keys/{{key}}/revoke/", "admin", 302),
    Rung("POST", f"{ORG}members/invitations/{{invitation}}/resend/", "admin", 302),
    Rung("POST", f"{ORG}members/invitations/{{invitation}}/withdraw/", "admin", 302),
    Rung("POST", f"{ORG}organization/", "admin", 302, {"name": "Nordic", "time_zone": "UTC"}),
    Rung("POST", f"{ORG}organization/second-factor/", "admin", 302, {"wanted": "true"}),
    Rung("POST", f"{ORG}organization/sign-in/", "admin", 200, {"issuer": "nonsense"}),
    Rung("POST", f"{ORG}organization/sign-in/remove/", "admin", 302),
    Rung("POST", f"{ORG}organization/offer/", "owner", 302, {"offer-member": "0"}),
    Rung("POST", f"{ORG}organization/offer/withdraw/", "owner", 302),
    Rung("POST", f"{ORG}organization/offer/accept/", "viewer", 302),
    Rung("POST", f"{ORG}organization/offer/decline/", "viewer", 302),
    Rung("POST", f"{ORG}organization/leave/", "viewer", 302),
    Rung("POST", f"{ORG}organization/delete/", "owner", 200, {"typed_name": "another"}),
    Rung("POST", f"{ONE}remove/", "admin", 302, {"typed_name": "Finland"}),
]
LADDER = PAGES + DEEDS
# What a viewer changes is only what he is told and has read.
ONES_OWN = {
    "English",
    "Deutsch",
    "Suomi",
    "Auto",
    "Light",
    "Dark",
    "Leave",
    "Look",
    "Mark as read",
    "Mark all as read",
    "Remove this view",
    "Save my choices",
}
# How one comes in, and what is one's own wherever one belongs.
OF_NOBODY = {
    "sign-in-find",
    "sign-in",
    "sign-in-answer",
    "sign-in-again",
    "second-factor",
    "session-end",
    "theme",
    "language",
    "preferences",
}
WEAKER = {"operator": "viewer", "admin": "operator", "owner": "admin"}


@pytest.fixture(autouse=True)
def _no_remote_systems(checks, subscribed, monkeypatch):
    """What goes over the network has its own tests."""
    monkeypatch.setattr(previews, "preview", lambda integration, flow: {"problems": []})
    monkeypatch.setattr(service, "read", lambda integration, day, actor: PeriodEnd.objects.get())
    monkeypatch.setattr(effects, "try_out", lambda integration, group, mapping: effects.Effect(1))


def visit(client, rung, world):
    return client.generic(
        rung.method,
        rung.path.format(**vars(world)),
        "&".join(f"{name}={value}" for name, value in (rung.data or {}).items()),
        "application/x-www-form-urlencoded",
    )


def test_the_ladder_has_every_page_of_an_organization():
    numbers = dict.fromkeys(
        (
            "integration",
            "view",
            "period",
            "run",
            "record",
            "call",
            "member",
            "key",
            "notification",
            "hook",
            "delivery",
            "notice",
            "invitation",
            "case",
        ),
        1,
    )
    climbed = {resolve(rung.path.split("?")[0].format(slug="x", **numbers)).url_name for rung in LADDER}
    names = {name for name in get_resolver("portal.views.urls").reverse_dict if isinstance(name, str)}
    assert names - climbed == {"landing", "organizations", "organization-create", "invitation", *OF_NOBODY}


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_a_role_that_reaches_may(rung, world, people):
    assert visit(people[rung.role], rung, world).status_code == rung.status


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_an_owner_may_do_all_of_it(rung, world, people):
    assert visit(people["owner"], rung, world).status_code == rung.status


@pytest.mark.parametrize("rung", [rung for rung in LADDER if rung.role in WEAKER], ids=str)
def test_a_weaker_role_is_refused_with_a_sentence(rung, world, people):
    answer = visit(people[WEAKER[rung.role]], rung, world)
    assert answer.status_code == 403
    assert "Your role here is" in answer.content.decode()


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_an_outsider_sees_nothing_not_even_that_it_is_there(rung, world, people):
    assert visit(people["outsider"], rung, world).status_code == 404


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_an_outsider_cannot_reach_it_through_their_own_organization(rung, world, people, elsewhere):
    world.slug = elsewhere.slug
    answer = visit(people["outsider"], rung, world)
    assert answer.status_code == 404 or "{" not in rung.path.removeprefix(ORG)


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_a_stranger_is_sent_to_log_in(rung, world, client):
    answer = visit(client, rung, world)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("path", sorted({rung.path for rung in LADDER}))
def test_another_method_is_refused_before_anything_else(path, world, people):
    assert people["outsider"].delete(path.format(**vars(world))).status_code == 405


@pytest.mark.parametrize("rung", DEEDS, ids=str)
def test_a_deed_has_no_page_to_get_or_getting_it_changes_nothing(rung, world, people):
    answer = people["owner"].get(rung.path.format(**vars(world)))
    assert answer.status_code in {200, 405}


@pytest.mark.parametrize(
    "name", ["integration", "run", "record", "call", "member", "key", "notification", "hook", "delivery"]
)
def test_an_id_that_is_not_there_is_404(name, world, people):
    setattr(world, name, 999_999)
    paths = [rung for rung in LADDER if f"{{{name}}}" in rung.path]
    assert {visit(people["owner"], rung, world).status_code for rung in paths} == {404}


@pytest.mark.parametrize("rung", [rung for rung in PAGES if rung.role == "viewer"], ids=str)
def test_a_viewer_sees_no_button_that_does_something(rung, world, people):
    page = visit(people["viewer"], rung, world).getvalue().decode()
    buttons = re.findall(r'<button[^>]*type="submit"[^>]*>(.*?)</button>', page, re.DOTALL)
    labels = {label.partition("<span")[0].strip() for label in buttons}
    assert labels <= {"Filter", "Compare", "Show", *ONES_OWN}
