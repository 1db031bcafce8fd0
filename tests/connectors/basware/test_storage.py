"""Documents through redirects to storage (contracts: Basware §3.4, §14.1)."""

from __future__ import annotations

import pytest

from syncengine.connectors.guard import OutboundPolicy, split_url
from syncengine.connectors.outcomes import Rejected, Throttled, Unavailable

from .conftest import Said

LIST = "/v1/accountingDocuments"
ONE = f"{LIST}/inv-1"
TOKEN = "X-amz-meta-continuationToken"
WRAPPED = {"accountingDocuments": [{"invoiceId": "inv-1"}]}


def redirect(url: str, status: int = 302, **headers: str) -> Said:
    return Said(status, b"<html>moved</html>", {"Location": url, **headers})


def test_the_storage_gets_a_fresh_request_without_credentials(api, storage, basware):
    api.on("GET", ONE, redirect(f"{storage.url}/bucket/doc?X-Amz-Signature=abc%2F", Set_Cookie="session=1"))
    storage.on("GET", "/bucket/doc", Said(200, WRAPPED, request_id=None))
    assert basware.document("inv-1") == {"invoiceId": "inv-1"}
    (asked,) = storage.asked
    assert asked.target == "/bucket/doc?X-Amz-Signature=abc%2F"
    assert asked.headers["Host"] == storage.url.removeprefix("http://")
    assert asked.headers["Accept"] == "application/json"
    assert not {"authorization", "cookie", "content-type", TOKEN.lower()} & {name.lower() for name in asked.headers}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed(api, storage, basware, status):
    api.on("GET", ONE, redirect(f"{storage.url}/doc", status))
    storage.on("GET", "/doc", Said(200, WRAPPED))
    assert basware.document("inv-1") == {"invoiceId": "inv-1"}


def test_an_answer_without_redirect_works_too(api, basware):
    api.on("GET", ONE, Said(200, WRAPPED))
    assert basware.document("inv-1") == {"invoiceId": "inv-1"}


def test_a_document_may_come_bare(api, storage, basware):
    api.on("GET", ONE, redirect(f"{storage.url}/doc"))
    storage.on("GET", "/doc", Said(200, {"invoiceId": "inv-1", "codingRows": None}))
    assert basware.document("inv-1") == {"invoiceId": "inv-1", "codingRows": None}


def test_a_relative_location_is_meant_from_where_it_came(api, basware):
    api.on("GET", ONE, redirect("/storage/doc"))
    api.on("GET", "/storage/doc", Said(200, WRAPPED))
    assert basware.document("inv-1") == {"invoiceId": "inv-1"}
    assert api.requests("GET", "/storage/doc")[0].headers["Authorization"] is None


@pytest.mark.parametrize(
    ("on_redirect", "on_final"),
    [(None, "t"), ("t", None), ("t", "t"), ("old", "t"), ("t", "")],
    ids=["final", "redirect", "both", "final wins", "final empty"],
)
def test_the_continuation_token_is_read_from_the_final_answer_first_then_from_the_redirect(
    api, storage, basware, on_redirect, on_final
):
    first = {TOKEN: on_redirect} if on_redirect is not None else {}
    final = {TOKEN: on_final} if on_final is not None else {}
    api.on("GET", LIST, redirect(f"{storage.url}/1", **first), redirect(f"{storage.url}/2"))
    storage.on("GET", "/1", Said(200, WRAPPED, final))
    storage.on("GET", "/2", Said(200, {"accountingDocuments": [{"invoiceId": "inv-2"}]}))
    pages = list(basware.documents(processing_status="WaitingForTransfer"))
    assert [row["invoiceId"] for rows in pages for row in rows] == ["inv-1", "inv-2"]
    first_asked, second_asked = api.requests("GET", LIST)
    assert second_asked.headers[TOKEN] == "t"
    assert first_asked.target == second_asked.target


def test_three_hops_are_followed_and_no_more(api, storage, basware):
    api.on("GET", ONE, redirect(f"{storage.url}/1"))
    for hop in (1, 2, 3):
        storage.on("GET", f"/{hop}", redirect(f"{storage.url}/{hop + 1}"))
    storage.on("GET", "/3", Said(200, WRAPPED))
    assert basware.document("inv-1") == {"invoiceId": "inv-1"}
    storage.on("GET", "/3", redirect(f"{storage.url}/4"))
    with pytest.raises(Unavailable) as caught:
        basware.document("inv-1")
    assert caught.value.code == "too_many_redirects"
    assert not storage.requests("GET", "/4")


@pytest.mark.parametrize("status", [400, 403])
def test_an_address_that_ran_out_is_asked_for_once_more(api, storage, basware, status):
    api.on("GET", ONE, redirect(f"{storage.url}/old"), redirect(f"{storage.url}/new"))
    storage.on("GET", "/old", Said(status, b"<Error><Code>AccessDenied</Code></Error>", request_id=None))
    storage.on("GET", "/new", Said(200, WRAPPED))
    assert basware.document("inv-1") == {"invoiceId": "inv-1"}


def test_an_address_refused_again_is_unavailable_after_two_tries(api, storage, basware):
    api.on("GET", ONE, redirect(f"{storage.url}/doc"))
    storage.on("GET", "/doc", Said(403))
    with pytest.raises(Unavailable) as caught:
        basware.document("inv-1")
    assert caught.value.code == "storage_refused"
    assert len(storage.asked) == len(api.requests("GET", ONE)) == 2


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(404, b"<Error><Code>NoSuchKey</Code></Error>"), Unavailable),
        (Said(500), Unavailable),
        (Said(503, headers={"Retry-After": "5"}), Throttled),
        (Said(200, b"<html>proxy</html>"), Unavailable),
        (Said(200, b'{"accountingDocuments": ['), Unavailable),
        (Said(302), Unavailable),
        (Said(cut=True), Unavailable),
    ],
)
def test_what_the_storage_cannot_give_never_passes_for_no_document(api, storage, basware, said, error):
    api.on("GET", ONE, redirect(f"{storage.url}/doc"))
    storage.on("GET", "/doc", said)
    with pytest.raises(error):
        basware.document("inv-1")


def test_404_before_any_redirect_is_no_document(api, basware):
    api.on("GET", ONE, Said(404))
    api.on("GET", LIST, Said(404))
    assert basware.document("inv-1") is None
    assert list(basware.documents()) == []


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.com/doc",
        "https://amazonaws.com.evil.example/doc",
        "https://evilamazonaws.com/doc",
        "https://amazonaws.com/doc",
        "https://user@x.amazonaws.com/doc",
        "https://evil.example.com\\@x.amazonaws.com/doc",
        "https://10.0.0.8/doc",
        "https://169.254.169.254/latest/meta-data",
        "http://x.amazonaws.com/doc",
        "ftp://x.amazonaws.com/doc",
        "file:///etc/passwd",
        "https://[::1/doc",
        "https:///doc",
    ],
)
def test_a_redirect_to_where_no_document_may_lie_is_refused(api, basware, location):
    api.on("GET", ONE, redirect(location))
    with pytest.raises(Rejected) as caught:
        basware.document("inv-1")
    assert caught.value.code in {"redirect_not_allowed", "url_invalid", "outbound_blocked"}
    assert len(api.requests("GET", ONE)) == 1


def test_a_redirect_without_an_address_is_not_followed(api, basware):
    api.on("GET", ONE, Said(302))
    with pytest.raises(Unavailable):
        basware.document("inv-1")


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("bucket.s3.eu-west-1.amazonaws.com", True),
        ("files.basware.com", True),
        ("FILES.Basware.COM.", True),
        ("basware.com", False),
        ("storage.corp.example", True),
        ("10.1.2.3", True),
        ("10.9.2.3", False),
        ("localhost", False),
        ("other.example", False),
    ],
)
def test_documents_may_lie_at_the_listed_hosts_and_where_the_outbound_policy_allows(with_settings, host, allowed):
    policy = OutboundPolicy(allow=("storage.corp.example", "10.1.0.0/16"))
    storage = with_settings(outbound=policy).session._storage
    assert storage._allowed(split_url(f"https://{host}/doc")) is allowed


def test_localhost_counts_as_the_loopback_address(basware):
    assert basware.session._storage._allowed(split_url("http://localhost:8081/doc"))


def test_the_signature_of_the_address_is_not_kept(api, storage, basware, observed):
    api.on("GET", ONE, redirect(f"{storage.url}/doc?X-Amz-Signature=verysecret&X-Amz-Credential=alsosecret"))
    storage.on("GET", "/doc", Said(200, WRAPPED))
    basware.document("inv-1")
    assert "verysecret" not in repr(observed)
    assert "alsosecret" not in repr(observed)
