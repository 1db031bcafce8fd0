"""Contracts: Basware §3.4, §14.1, §14.8, §14.9 and §18 point 6: redirects, filters, attachments."""

import pytest

from tests.sandbox.basware.world import World, invoice, payment_response, send

LIST = "/v1/accountingDocuments"


@pytest.fixture
def many(world: World) -> World:
    for number in range(2, 5):
        world.sandbox.documents.issue(invoice(f"inv-{number}"))
    return world


def ids(world: World, query: str) -> list[str]:
    return [document["invoiceId"] for document in world.documents(query)]


def test_documents_come_by_redirect_from_another_port(world: World) -> None:
    for path in (LIST, f"{LIST}/inv-1"):
        reply = world.get(path)
        assert (reply.status, reply.content) == (302, b"")
        assert reply.headers["location"].startswith(world.sandbox.storage_url)
        assert world.fetch(reply).headers["content-type"] == "application/json"


def test_storage_refuses_a_second_credential(world: World) -> None:
    location = world.get(LIST).headers["location"]
    reply = send(location, "GET", None, {"Authorization": world.authorization})
    assert (reply.status, reply.headers["content-type"]) == (400, "application/xml")
    assert b"Only one auth mechanism" in reply.content


@pytest.mark.parametrize(
    ("method", "change", "headers"),
    [
        ("GET", ("", ""), {"Host": "api.basware.com"}),
        ("POST", ("", ""), {}),
        ("GET", ("X-Amz-Signature=", "X-Amz-Signature=0"), {}),
        ("GET", ("documents.json", "others.json"), {}),
    ],
)
def test_storage_serves_only_what_was_signed(
    world: World, method: str, change: tuple[str, str], headers: dict[str, str]
) -> None:
    location = world.get(LIST).headers["location"].replace(*change)
    assert send(location, method, None, headers).status == 403


def test_a_url_expires(world: World) -> None:
    reply = world.get(LIST)
    world.clock.advance(299)
    assert world.fetch(reply).status == 200
    world.clock.advance(1)
    assert world.fetch(reply).status == 403
    assert world.fetch(world.get(LIST)).status == 200


def test_all_urls_can_be_ended(world: World) -> None:
    reply = world.get(LIST)
    assert world.sandbox.storage.expire_all() == 1
    assert b"expired" in world.fetch(reply).content


def test_a_url_holds_what_was_there_when_it_was_given_out(world: World) -> None:
    reply = world.get(LIST)
    world.post(f"{LIST}/inv-1/acknowledge")
    assert world.fetch(reply).json["accountingDocuments"][0]["processingStatus"] == "WaitingForTransfer"


@pytest.mark.parametrize(
    ("place", "on_redirect", "on_final"), [("final", False, True), ("302", True, False), ("both", True, True)]
)
def test_the_continuation_token_is_where_the_switch_says(
    many: World, place: str, on_redirect: bool, on_final: bool
) -> None:
    many.sandbox.switches.continuation_on = place
    reply = many.get(f"{LIST}?pageSize=2")
    assert bool(reply.continuation) is on_redirect
    assert bool(many.fetch(reply).continuation) is on_final


def test_documents_can_come_without_a_redirect(many: World) -> None:
    many.sandbox.switches.redirects = False
    reply = many.get(f"{LIST}?pageSize=2")
    assert reply.status == 200
    assert reply.continuation
    assert len(reply.json["accountingDocuments"]) == 1


def test_the_last_page_has_no_token(many: World) -> None:
    reply = many.get(f"{LIST}?pageSize=4")
    assert reply.continuation is None
    assert many.fetch(reply).continuation is None


def test_documents_are_filtered_by_status_company_mode_and_moment(many: World) -> None:
    many.clock.advance(60)
    many.sandbox.documents.move("inv-2", "Removed")
    many.sandbox.documents.change("inv-3", {"companyCode": "2000"})
    many.sandbox.documents.change("inv-4", {"p2pProcessingMode": "InvoiceEnrichment"})
    assert ids(many, "") == ["inv-1", "inv-2", "inv-3"]
    assert ids(many, "?ProcessingStatus=WaitingForTransfer") == ["inv-1", "inv-3"]
    assert ids(many, "?ProcessingStatus=WaitingForTransfer&companyCode=1000") == ["inv-1"]
    assert ids(many, "?p2pProcessingMode=InvoiceEnrichment") == ["inv-4"]
    assert ids(many, "?lastUpdated=2026-05-06T12:00:30Z") == ["inv-2", "inv-3"]


def test_the_status_parameter_with_a_small_p_filters_nothing(many: World) -> None:
    many.sandbox.documents.move("inv-2", "Removed")
    assert len(ids(many, "?processingStatus=WaitingForTransfer")) == 4


@pytest.mark.parametrize(
    "query", ["?ProcessingStatus=Waiting", "?p2pProcessingMode=standard", "?lastUpdated=x", "?pageSize=101"]
)
def test_a_filter_that_basware_does_not_know_is_400(world: World, query: str) -> None:
    assert world.get(f"{LIST}{query}").codes == ["PARAMETER_VALIDATION_ERROR"]


def test_no_documents_are_404(world: World) -> None:
    reply = world.get(f"{LIST}?ProcessingStatus=Paid")
    assert (reply.status, reply.content) == (404, b"")


def test_attachments_appear_only_after_the_transfer(world: World) -> None:
    assert world.document()["attachments"] == []
    world.transfer()
    attachment = world.document()["attachments"][0]
    assert attachment["category"] == "ORIGINALIMAGE"
    assert attachment["filename"] == "2026-inv-1.pdf"


def test_an_attachment_is_a_file_behind_a_redirect_for_fifteen_minutes(world: World) -> None:
    world.transfer()
    code = world.document()["attachments"][0]["externalCode"]
    reply = world.get(f"{LIST}/inv-1/attachments/{code}")
    file = world.fetch(reply)
    assert file.headers["content-type"] == "application/pdf"
    assert file.content.startswith(b"%PDF-")
    world.clock.advance(900)
    assert world.fetch(reply).status == 403


def test_an_attachment_that_is_unknown_or_too_early_is_404(world: World) -> None:
    code = world.sandbox.documents.records["inv-1"]["attachments"][0]["externalCode"]
    assert world.get(f"{LIST}/inv-1/attachments/{code}").status == 404
    world.transfer()
    assert world.get(f"{LIST}/inv-1/attachments/nope").status == 404


def test_attachments_of_the_data_set_are_kept_back_like_all_others(world: World) -> None:
    given = {"externalCode": "a1", "category": "ATTACHMENT", "filename": "terms.pdf", "isConfidential": True}
    world.sandbox.documents.issue(invoice("inv-2", attachments=[given]))
    assert world.document("inv-2")["attachments"] == []
    world.transfer("inv-2")
    assert world.document("inv-2")["attachments"] == [given]


SEARCH = f"{LIST}/status?companyCode=1000&invoiceNumber=2026-inv-1&invoiceDate=2026-05-04"


def test_the_status_search_answers_a_bare_array(world: World) -> None:
    assert world.get(SEARCH).json == [
        {
            "invoiceId": "inv-1",
            "status": "InApprovalProcess",
            "processingStatus": "WaitingForTransfer",
            "disputeInfo": {"isDisputed": False},
            "lastUpdated": "2026-05-06T12:00:00.000Z",
        }
    ]


def test_the_status_search_follows_the_invoice(world: World) -> None:
    world.transfer()
    assert world.get(SEARCH).json[0]["status"] == "ReadyForPayment"
    world.respond("payment", payment_response())
    assert world.get(SEARCH).json[0]["status"] == "Paid"
    world.sandbox.documents.move("inv-1", "Returned")
    assert world.get(SEARCH).json[0]["status"] == "Rejected"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("&grossSum=124.00", 200),
        ("&grossSum=124.01", 404),
        ("&grossSum=much", 400),
        ("&companyCode=2000", 404),
        ("&invoiceDate=2026-05-05", 404),
        ("&invoiceNumber=", 400),
    ],
)
def test_the_status_search_needs_all_three_and_matches_exactly(world: World, query: str, status: int) -> None:
    assert world.get(SEARCH + query).status == status


def test_the_status_search_finds_nothing_until_basware_enables_it(world: World) -> None:
    world.sandbox.switches.status_search = False
    assert world.get(SEARCH).status == 404
