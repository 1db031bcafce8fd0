"""The same ladder for every call: works, bad id, outsider, wrong method, weak role, nobody."""

from __future__ import annotations

import pytest

from portal.api.urls import resources
from syncengine.engine import ping, webhooks
from syncengine.models import AuditEvent
from tests.factories import BASWARE, member
from tests.portal.api.conftest import Rung
from tests.reconciliation.builders import report

VENDORS = {"rules": [{"target": "name", "source": "CardName"}]}
ONE = "integrations/{integration}/"
HOOK = {"name": "BI", "url": "https://tools.example.com/in", "events": ["run.finished"]}

LADDER = [
    Rung("GET", "integrations/", "viewer", 200),
    Rung("POST", "integrations/", "admin", 201, {"name": "Sweden"}),
    Rung("GET", ONE, "viewer", 200),
    Rung("PATCH", ONE, "admin", 200, {"enabled": False}),
    Rung("DELETE", ONE, "admin", 204),
    Rung("GET", f"{ONE}connections/basware/", "viewer", 200),
    Rung("PUT", f"{ONE}connections/basware/", "admin", 200, BASWARE),
    Rung("POST", f"{ONE}ping/", "operator", 200),
    Rung("GET", f"{ONE}webhook/", "viewer", 200),
    Rung("POST", f"{ONE}webhook/", "admin", 200),
    Rung("GET", f"{ONE}runs/", "viewer", 200),
    Rung("POST", f"{ONE}runs/", "operator", 202, {"flow": "gl_accounts"}),
    Rung("GET", "runs/{run}/", "viewer", 200),
    Rung("GET", "runs/{run}/plan/", "viewer", 200),
    Rung("GET", "runs/{run}/plan/items/", "viewer", 200),
    Rung("POST", "runs/{run}/apply/", "operator", 400),
    Rung("POST", "runs/{run}/cancel/", "operator", 202),
    Rung("POST", "runs/{run}/confirm-closings/", "operator", 400),
    Rung("GET", f"{ONE}records/", "viewer", 200),
    Rung("GET", f"{ONE}causes/", "viewer", 200),
    Rung("GET", "records/{record}/", "viewer", 200),
    Rung("POST", "records/{record}/replay/", "operator", 202),
    Rung("POST", "records/{record}/hold/", "operator", 400),
    Rung("POST", "records/{record}/ignore/", "operator", 202, {"reason": "test data"}),
    Rung("POST", "records/{record}/resend/", "operator", 202),
    Rung("POST", "records/{record}/decide/", "operator", 400, {"decision": "adopt", "reason": "it is this one"}),
    Rung("POST", f"{ONE}replays/", "operator", 202, {}),
    Rung("GET", f"{ONE}mappings/vendors/", "viewer", 200),
    Rung("PUT", f"{ONE}mappings/vendors/", "admin", 200, VENDORS),
    Rung("POST", f"{ONE}mappings/vendors/preview/", "operator", 200, {}),
    Rung("GET", f"{ONE}configuration/", "viewer", 200),
    Rung("POST", f"{ONE}configuration/", "admin", 200, {"configuration": {"version": 1}, "apply": True}),
    Rung("GET", f"{ONE}reconciliation/?from=2026-05-01&to=2026-05-31", "viewer", 200),
    Rung("GET", "hooks/", "viewer", 200),
    Rung("POST", "hooks/", "admin", 201, HOOK),
    Rung("GET", "hooks/{hook}/", "viewer", 200),
    Rung("PATCH", "hooks/{hook}/", "admin", 200, {"enabled": False}),
    Rung("DELETE", "hooks/{hook}/", "admin", 204),
    Rung("POST", "hooks/{hook}/rotate/", "admin", 200),
    Rung("POST", "hooks/{hook}/test/", "admin", 202),
    Rung("GET", "hooks/{hook}/deliveries/", "viewer", 200),
    Rung("GET", "hook-deliveries/{delivery}/", "viewer", 200),
    Rung("POST", "hook-deliveries/{delivery}/replay/", "operator", 202),
    Rung("GET", "audit/", "viewer", 200),
    Rung("GET", "audit/export/?format=csv", "viewer", 200),
    Rung("GET", "members/", "viewer", 200),
    Rung("PATCH", "members/{member}/", "admin", 200, {"role": "operator"}),
    Rung("DELETE", "members/{member}/", "admin", 204),
    Rung("POST", "members/invite/", "admin", 201, {"email": "new@example.com", "role": "viewer"}),
    Rung("GET", "api-keys/", "viewer", 200),
    Rung("POST", "api-keys/", "admin", 201, {"name": "ci", "role": "operator"}),
    Rung("DELETE", "api-keys/{key}/", "admin", 204),
]
WRITES = [rung for rung in LADDER if rung.role != "viewer"]
OF_ONE_OBJECT = [rung for rung in LADDER if "{" in rung.path]
WEAKER = {"operator": "viewer", "admin": "operator"}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(autouse=True)
def _no_remote_systems(monkeypatch):
    """What goes over the network has its own tests."""
    monkeypatch.setattr(ping, "ping_all", lambda integration, actor: {"ok": True, "systems": []})
    monkeypatch.setattr(webhooks, "subscribe", lambda integration, actor: {"subscribed": True, "confirmed": True})
    nothing = {"source": {}, "target": {}, "problems": []}
    monkeypatch.setattr("syncengine.engine.previews.preview", lambda integration, flow, key, rules: nothing)
    monkeypatch.setattr("syncengine.reconciliation.service.reconcile", lambda integration, first, last: report())


def call(caller, rung, world, path=None):
    return caller.request(rung.method, path or rung.path.format(**vars(world)), rung.body)


def test_the_ladder_has_every_address():
    addresses = {str(route.pattern).replace("<int:", "<") for route in resources}
    climbed = {rung.path.split("?")[0] for rung in LADDER}
    assert len(climbed) == len(addresses)


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_a_role_that_reaches_may(rung, world, api):
    assert call(api(rung.role), rung, world).status_code == rung.status


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_a_team_member_may_in_the_browser_too(rung, world, in_browser, admin):
    assert call(in_browser(admin), rung, world).status_code == rung.status


@pytest.mark.parametrize("rung", WRITES, ids=str)
def test_a_weaker_role_is_403_and_nothing_happens(rung, world, api):
    weaker = api(WEAKER[rung.role])
    before = AuditEvent.objects.count()
    response = call(weaker, rung, world)
    assert response.status_code == 403
    assert rung.role in response.json()["detail"]
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("rung", OF_ONE_OBJECT, ids=str)
def test_an_outsider_sees_404(rung, world, outsider_api):
    assert call(outsider_api, rung, world).status_code == 404


@pytest.mark.parametrize("rung", OF_ONE_OBJECT, ids=str)
def test_an_outsider_whose_role_would_not_reach_sees_404_as_well(rung, world, elsewhere, in_browser):
    assert call(in_browser(member(elsewhere, "viewer")), rung, world).status_code == 404


@pytest.mark.parametrize("rung", OF_ONE_OBJECT, ids=str)
@pytest.mark.parametrize("key", ["999999999", "99999999999999999999999999"])
def test_a_bad_id_is_404(rung, key, world, api):
    bad = dict.fromkeys(vars(world), key)
    assert call(api("admin"), rung, world, rung.path.format(**bad)).status_code == 404


@pytest.mark.parametrize("rung", LADDER, ids=str)
def test_nobody_is_401(rung, world, anonymous):
    response = call(anonymous, rung, world)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Api-Key"


@pytest.mark.parametrize("path", sorted({rung.path for rung in LADDER}))
def test_a_wrong_method_is_405_for_everybody_inside_and_outside(path, world, api, outsider_api):
    known = {rung.method for rung in LADDER if rung.path == path}
    for method in [*METHODS - known, "OPTIONS"]:
        for caller in (api("viewer"), outsider_api):
            response = caller.request(method, path.format(**vars(world)), {})
            assert response.status_code == 405, method
            assert response.headers["Content-Type"] == "application/problem+json"
            assert set(response.headers["Allow"].split(", ")) - {"HEAD"} == known


@pytest.mark.parametrize("rung", [rung for rung in LADDER if rung.method == "GET"], ids=str)
def test_head_answers_like_get(rung, world, api, outsider_api):
    path = rung.path.format(**vars(world))
    assert api("viewer").request("HEAD", path).status_code == 200
    if "{" in rung.path:
        assert outsider_api.request("HEAD", path).status_code == 404
