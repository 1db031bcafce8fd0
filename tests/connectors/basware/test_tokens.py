"""Access tokens (contracts: Basware §2.1)."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from syncengine.connectors.basware import DEFAULT_SCOPES, Basware, BaswareSettings, MemoryTokenStore, Token
from syncengine.connectors.outcomes import Rejected, Throttled, Unauthenticated, Unavailable

from .conftest import Said, granted

TOKENS = "/v1/tokens"
TERMS = "/v1/paymentTerms/PT"


def ask(basware: Basware) -> None:
    basware.record("paymentTerms", "PT")


def test_the_token_is_asked_for_with_basic_credentials_and_a_form(api, basware):
    assert basware.token().access_token == "token-1"
    (asked,) = api.requests("POST", TOKENS)
    scheme, credentials = asked.headers["Authorization"].split()
    assert scheme == "Basic"
    assert base64.b64decode(credentials).decode() == "client-7:s3cret:ö%"
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked.body.startswith(b"grant_type=client_credentials&scope=accountingDocuments.read%20accounting")


def test_the_scopes_asked_for_are_those_of_the_contract_unless_others_are_set(api, basware, with_settings):
    assert len(DEFAULT_SCOPES) == 29
    assert {"vendors.write", "errorFeedbacks.read", "subscriptions.delete", "tasks.read"} <= set(DEFAULT_SCOPES)
    assert not {"vendors.delete", "tasks.write", "errorFeedbacks.write"} & set(DEFAULT_SCOPES)
    with_settings(scopes=("vendors.read",)).token()
    assert api.requests("POST", TOKENS)[0].body.endswith(b"&scope=vendors.read")


def test_a_token_url_of_its_own_is_asked_instead_of_the_base(api, with_settings):
    api.on("POST", "/login/oauth", granted("elsewhere"))
    assert with_settings(token_url=f"{api.url}/login/oauth").token().access_token == "elsewhere"


def test_a_token_is_used_until_a_minute_before_its_end(api, basware, clock):
    ask(basware)
    clock.pass_seconds(3539)
    ask(basware)
    assert len(api.requests("POST", TOKENS)) == 1
    clock.pass_seconds(1)
    ask(basware)
    assert len(api.requests("POST", TOKENS)) == 2
    assert api.requests("GET", TERMS)[-1].headers["Authorization"] == "Bearer token-2"


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3540),
        (120, 60),
        (119, 59.5),
        (30, 15),
        ("3600", 3540),
        (None, 3540),
        ("soon", 3540),
        (0, 0),
        (-5, 0),
        (1e30, 7 * 86_400 - 60),
        (10**400, 3540),
        ("NaN", 3540),
    ],
)
def test_the_life_of_a_token_is_in_seconds_and_a_short_one_is_halved(api, basware, clock, expires_in, seconds):
    api.on("POST", TOKENS, granted(expires_in=expires_in))
    assert basware.token().expires_at == clock() + timedelta(seconds=seconds)


def test_a_stored_token_is_shared_and_none_is_fetched(api, settings, transport, clock):
    store = MemoryTokenStore()
    Basware(settings, transport, store, clock=clock).token()
    assert Basware(settings, transport, store, clock=clock).token().access_token == "token-1"
    assert len(api.requests("POST", TOKENS)) == 1


def test_many_threads_without_a_token_fetch_one(api, settings, transport, clock):
    store, barrier = MemoryTokenStore(), Barrier(8)

    def fetch() -> str:
        client = Basware(settings, transport, store, clock=clock)
        barrier.wait(5)
        return client.token().access_token

    with ThreadPoolExecutor(8) as pool:
        tokens = {future.result() for future in [pool.submit(fetch) for _ in range(8)]}
    assert tokens == {"token-1"}
    assert len(api.requests("POST", TOKENS)) == 1


def test_whoever_waited_for_the_lock_takes_the_token_that_another_worker_has_fetched(api, settings, transport, clock):
    theirs = Token("theirs", "vendors.read", clock() + timedelta(hours=1))

    class Contended(MemoryTokenStore):
        """A lock that is got only after somebody else was done."""

        def lock(self):
            self.save(theirs)
            return super().lock()

    assert Basware(settings, transport, Contended(), clock=clock).token() is theirs
    assert not api.asked


def test_a_token_survives_being_kept_and_shows_no_secret(clock):
    token = Token("very-secret", "vendors.read vendors.write", clock())
    assert Token.from_dict(token.to_dict()) == token
    assert "very-secret" not in repr(token)


def test_settings_show_no_secret(settings: BaswareSettings):
    assert "s3cret" not in repr(settings)


def test_nothing_secret_is_kept_of_a_token_request(basware, observed):
    basware.token()
    kept = repr(observed)
    assert "token-1" not in kept
    assert "s3cret" not in kept
    assert base64.b64encode(b"client-7:").decode()[:8] not in kept


def test_a_narrower_scope_in_the_answer_names_what_is_missing(api, with_settings):
    api.on("POST", TOKENS, granted(scope="vendors.read"))
    client = with_settings(scopes=("vendors.read", "vendors.write", "accounts.read"))
    assert client.granted_scopes() == {"vendors.read"}
    assert client.missing_scopes() == ("vendors.write", "accounts.read")


def test_an_answer_without_scope_grants_what_was_asked(api, with_settings):
    api.on("POST", TOKENS, Said(200, {"access_token": "t", "expires_in": 3600}))
    assert with_settings(scopes=("vendors.read",)).missing_scopes() == ()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Said(401, {"error": "invalid_client"}), "invalid_client"),
        (Said(401), "invalid_client"),
        (Said(400, {"error": "invalid_client"}), "invalid_client"),
        (Said(400, {"error": "invalid_scope", "error_description": "unknown scope"}), "invalid_scope"),
    ],
)
def test_a_refused_token_request_is_a_refused_login(api, basware, said, code):
    api.on("POST", TOKENS, said)
    with pytest.raises(Unauthenticated) as caught:
        ask(basware)
    assert caught.value.login_refused
    assert caught.value.code == code
    assert caught.value.hint
    assert len(api.asked) == 1, "a refused log-in is not tried twice: it may lock the client"


@pytest.mark.parametrize(
    ("said", "error", "code"),
    [
        (Said(400, {"error": "invalid_request", "error_description": "grant_type field required"}), Rejected, None),
        (Said(422, {"detail": [{"loc": ["body", "scope"], "msg": "field required", "type": "x"}]}), Rejected, None),
        (Said(429, headers={"Retry-After": "7"}), Throttled, "throttled"),
        (Said(503, headers={"Retry-After": "7"}), Throttled, "throttled"),
        (Said(500, {"message": "Internal server error"}), Unavailable, "http_500"),
        (Said(503), Unavailable, "http_503"),
        (Said(404), Unavailable, "not_basware"),
        (Said(404, b"<html>nothing here</html>", request_id=None), Unavailable, "not_basware"),
        (Said(302, headers={"Location": "https://login.example.com/"}), Unavailable, "not_basware"),
        (Said(200, b"<html>Welcome</html>"), Unavailable, "not_json"),
        (Said(200, b'{"access_token": "t'), Unavailable, "not_json"),
        (Said(200, {"token": "t"}), Unavailable, "no_token"),
        (Said(200, ["t"]), Unavailable, "no_token"),
        (Said(200, {"access_token": ""}), Unavailable, "no_token"),
        (Said(cut=True), Unavailable, None),
    ],
)
def test_what_else_the_token_address_answers_does_not_blame_the_credentials(api, basware, said, error, code):
    api.on("POST", TOKENS, said)
    with pytest.raises(error) as caught:
        ask(basware)
    assert code is None or caught.value.code == code


def test_the_token_errors_are_told_in_their_own_words(api, basware):
    api.on("POST", TOKENS, Said(422, {"detail": [{"loc": ["body", "scope"], "msg": "field required", "type": "x"}]}))
    with pytest.raises(Rejected, match=r"body\.scope: field required"):
        basware.token()
