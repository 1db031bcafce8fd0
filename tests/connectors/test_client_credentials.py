"""Tokens by client credentials: each answer of a token service has one outcome."""

from __future__ import annotations

import base64

import pytest

from syncengine.connectors.client_credentials import Grant, fetch_token
from syncengine.connectors.outcomes import Throttled, Unauthenticated, Unavailable
from tests.connectors.servers import html_answer, json_answer


@pytest.fixture
def fetch(serve, make_transport):
    """The token that a service with this answer gives, and what it was asked."""
    asked = []

    def go(answer, scopes=()):
        server = serve(lambda received: asked.append(received) or answer)
        transport = make_transport(secrets=["s3cret"])
        return fetch_token(Grant(f"{server.url}/oauth/token", "client", "s3cret", scopes), transport)

    go.asked = asked
    return go


def test_a_token_is_asked_for_with_the_client_by_basic_authentication(fetch):
    assert fetch(json_answer({"access_token": "abc"}), ("a", "b")) == "abc"
    (asked,) = fetch.asked
    assert base64.b64decode(asked.header("Authorization").removeprefix("Basic ")) == b"client:s3cret"
    assert asked.body == b"grant_type=client_credentials&scope=a%20b"


def test_without_scopes_none_are_asked_for(fetch):
    fetch(json_answer({"access_token": "abc"}))
    assert fetch.asked[0].body == b"grant_type=client_credentials"


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (401, {"error": "invalid_client"}, Unauthenticated, "oauth_refused"),
        (401, {}, Unauthenticated, "oauth_refused"),
        (403, {}, Unauthenticated, "oauth_refused"),
        (400, {"error": "invalid_scope"}, Unauthenticated, "oauth_refused"),
        (400, {}, Unavailable, "no_token"),
        (404, {}, Unavailable, "no_token"),
        (302, {}, Unavailable, "no_token"),
        (200, {}, Unavailable, "no_token"),
        (200, [], Unavailable, "no_token"),
        (200, {"access_token": ""}, Unavailable, "no_token"),
        (200, {"access_token": "split\r\nHeader: x"}, Unavailable, "no_token"),
        (429, {}, Throttled, "throttled"),
        (503, {}, Unavailable, "http_503"),
    ],
)
def test_each_answer_of_a_token_service_has_its_outcome(fetch, status, body, error, code):
    with pytest.raises(error) as fault:
        fetch(json_answer(body, status))
    assert fault.value.code == code
    assert getattr(fault.value, "login_refused", False) is (error is Unauthenticated)


def test_a_web_page_is_no_token_service(fetch):
    with pytest.raises(Unavailable) as fault:
        fetch(html_answer(200, "Welcome"))
    assert "token URL" in fault.value.hint


def test_neither_secret_nor_token_is_kept_of_a_call(fetch, observed):
    fetch(json_answer({"access_token": "abc-token"}))
    kept = repr(observed)
    assert "s3cret" not in kept
    assert "abc-token" not in kept
    assert base64.b64encode(b"client:s3cret").decode() not in kept
    assert "s3cret" not in repr(Grant("https://x", "client", "s3cret"))
