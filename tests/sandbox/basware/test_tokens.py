"""Contracts: Basware §2 and §18 point 1."""

import base64
import json

import pytest

from syncengine.sandbox.basware import CLIENT_ID, CLIENT_SECRET
from syncengine.sandbox.basware.tokens import basic_credentials
from tests.sandbox.basware.world import CREDENTIALS, World, account, send


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_token_comes_with_its_scopes_and_lifetime_in_seconds(world: World) -> None:
    reply = world.token("vendors.write vendors.read")
    assert reply.status == 200
    assert reply.json["scope"] == "vendors.read vendors.write"
    assert reply.json["expires_in"] == 3600
    assert reply.json["token_type"] == "Bearer"


def test_the_token_looks_like_a_jwt_with_the_claims_of_the_contract(world: World) -> None:
    header, claims, _ = world.token("vendors.read").json["access_token"].split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "RS256", "typ": "at+jwt"}
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert decoded["sub"] == CLIENT_ID
    assert decoded["aud"] == "OpenAPI"
    assert decoded["exp"] - decoded["iat"] == 3600


@pytest.mark.parametrize(
    "authorization", ["", "Bearer x", "Basic !!!", basic(CLIENT_ID, "wrong"), basic("wrong", CLIENT_SECRET)]
)
def test_wrong_credentials_are_invalid_client(world: World, authorization: str) -> None:
    reply = world.token(authorization=authorization)
    assert (reply.status, reply.json) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("scope=vendors.read", "invalid_request"),
        ("grant_type=client_credentials", "invalid_request"),
        ("grant_type=password&scope=vendors.read", "unsupported_grant_type"),
        ("grant_type=client_credentials&scope=p2p%3Aread", "invalid_scope"),
    ],
)
def test_a_form_with_something_missing_or_unknown_is_400(world: World, form: str, error: str) -> None:
    headers = {"Authorization": CREDENTIALS, "Content-Type": "application/x-www-form-urlencoded"}
    reply = send(f"{world.sandbox.url}/v1/tokens", "POST", form.encode(), headers)
    assert (reply.status, reply.json["error"]) == (400, error)


def test_json_instead_of_a_form_is_422(world: World) -> None:
    headers = {"Authorization": CREDENTIALS, "Content-Type": "application/json"}
    reply = send(f"{world.sandbox.url}/v1/tokens", "POST", b"{}", headers)
    assert reply.status == 422
    assert reply.json["detail"][0]["loc"] == ["body"]


def test_a_client_that_is_allowed_less_is_granted_less(world: World) -> None:
    world.sandbox.switches.allowed_scopes = ["vendors.read"]
    assert world.token("vendors.read vendors.write").json["scope"] == "vendors.read"
    assert world.token("accounts.read").json["error"] == "invalid_scope"


def test_an_expired_token_is_401_on_every_call(world: World) -> None:
    world.sandbox.switches.token_lifetime = 2
    world.log_in()
    assert world.get("/v1/vendors").status == 404
    world.clock.advance(2)
    reply = world.get("/v1/vendors")
    assert (reply.status, reply.codes) == (401, ["ACCESS_TOKEN_VALIDATION_ERROR"])
    assert world.get("/v1/tasks").json == {"message": "Unauthorized"}


def test_no_token_is_401(world: World) -> None:
    world.authorization = ""
    assert world.get("/v1/vendors").status == 401


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("vendors.write", "GET", "/v1/vendors"),
        ("accounts.read", "POST", "/v1/accounts"),
        ("accounts.read accounts.write", "DELETE", "/v1/accounts"),
        ("accountingDocuments.read", "POST", "/v1/accountingDocuments/inv-1/acknowledge"),
        ("subscriptions.read", "DELETE", "/v1/subscriptions"),
        ("subscriptions.read", "GET", "/v1/tasks"),
    ],
)
def test_a_scope_that_does_not_cover_the_method_is_403(world: World, scope: str, method: str, path: str) -> None:
    world.log_in(scope)
    assert world.call(method, path).status == 403


def test_basic_authentication_with_the_api_user_still_works(world: World) -> None:
    world.authorization = CREDENTIALS
    assert world.post("/v1/accounts", [account()]).status == 200
    world.authorization = basic(CLIENT_ID, "wrong")
    assert world.get("/v1/accounts").codes == ["CREDENTIAL_VALIDATION_ERROR"]


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic äö", "Basic YQ", "Basic /w=="])
def test_what_is_no_basic_header_has_no_credentials(header: str) -> None:
    assert basic_credentials(header) is None
