from http import HTTPStatus

import pytest

from syncengine.sandbox.basware.calls import Refusal
from syncengine.sandbox.basware.routing import Route, Router, match
from syncengine.sandbox.server import SandboxRequest, SandboxResponse
from tests.sandbox.basware.world import World


def route(method: str, pattern: str) -> Route:
    return Route(method, pattern, "things", lambda call: SandboxResponse(200))


@pytest.fixture
def router() -> Router:
    return Router([route("GET", "/v1/things/{key}"), route("GET", "/v1/things/status"), route("POST", "/v1/things")])


def test_an_encoded_slash_stays_inside_its_part() -> None:
    assert match("/v1/accounts/{externalCode}", "/v1/accounts/1000-A%2FB%20%23") == {"externalCode": "1000-A/B #"}


def test_an_empty_part_matches_nothing() -> None:
    assert match("/v1/accounts/{externalCode}", "/v1/accounts/") is None


def test_a_literal_path_wins_over_a_variable_one(router: Router) -> None:
    found, args = router.find(SandboxRequest("GET", "/v1/things/status"))
    assert (found.pattern, args) == ("/v1/things/status", {})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("DELETE", "/v1/things", HTTPStatus.METHOD_NOT_ALLOWED), ("GET", "/v1/thing", HTTPStatus.NOT_FOUND)],
)
def test_an_unknown_method_is_405_and_an_unknown_path_404(
    router: Router, method: str, path: str, status: HTTPStatus
) -> None:
    with pytest.raises(Refusal) as refusal:
        router.find(SandboxRequest(method, path))
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("method", "scope"), [("GET", "things.read"), ("POST", "things.write"), ("DELETE", "things.delete")]
)
def test_the_scope_follows_the_method(method: str, scope: str) -> None:
    assert route(method, "/v1/things").scope == scope


def test_path_case_matters(world: World) -> None:
    assert world.get("/v1/Vendors").status == 404
    assert world.get("/V1/vendors").status == 404


def test_calls_are_counted_by_the_pattern_of_their_path(world: World) -> None:
    world.get("/v1/vendors/1000-V-V10000")
    world.get("/v1/vendors/1000-V-V20000")
    assert world.sandbox.requests.counts()["GET /v1/vendors/{externalCode}"] == 2
