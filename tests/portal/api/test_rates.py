"""How a caller stands with the limit, and what a client need not be sent again."""

from __future__ import annotations

import time_machine

from tests import factories


def test_every_answer_says_how_the_caller_stands(settings, api):
    settings.API_RATE = "2/min"
    caller = api("viewer")
    with time_machine.travel(factories.NOON, tick=False):
        answers = [caller.get(path) for path in ("members/", "runs/999999/", "members/")]
    assert [answer.status_code for answer in answers] == [200, 404, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"2"}
    assert answers[2].headers["RateLimit-Reset"] == answers[2].headers["Retry-After"] == "60"


def test_nobody_is_told_of_nobody_s_limit(anonymous, db):
    assert "RateLimit-Limit" not in anonymous.get("members/").headers


def test_what_has_not_changed_is_not_sent_again(integration, api):
    caller = api("viewer")
    path = f"integrations/{integration.pk}/"
    tag = caller.get(path).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = caller.request("GET", path, If_None_Match=known)
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["ETag"] == tag
    assert caller.request("GET", path, If_None_Match='"other"').status_code == 200


def test_a_role_is_changed_only_as_it_was_read(owner, viewer, api):
    caller = api("admin")
    path = f"members/{viewer.memberships.get().pk}/"
    tag = caller.request("PATCH", path, {"role": "operator"}).headers["ETag"]
    assert caller.request("PATCH", path, {"role": "viewer"}, If_Match='"other"').status_code == 412
    assert caller.request("PATCH", path, {"role": "viewer"}, If_Match=tag).status_code == 200


def test_a_number_is_no_name(api):
    answer = api("admin").post("integrations/", {"name": 5})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "name"
