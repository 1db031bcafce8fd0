"""Contracts: Basware §3.3 and §18 point 5."""

import pytest

from tests.sandbox.basware.world import World, account

TOKEN = "x-amz-meta-continuationtoken"


@pytest.fixture
def accounts(world: World) -> World:
    world.post("/v1/accounts", [account(str(number)) for number in range(4000, 4025)])
    return world


def codes(reply: object) -> list[str]:
    return [entry["accountCode"] for entry in reply.json["accounts"]]


def read_all(world: World, path: str) -> list[list[str]]:
    pages, token = [], ""
    while token is not None:
        reply = world.call("GET", path, headers={TOKEN: token} if token else {})
        pages.append(codes(reply))
        token = reply.continuation
    return pages


def test_every_record_comes_once_over_pages_that_are_short_before_the_last(accounts: World) -> None:
    pages = read_all(accounts, "/v1/accounts?pageSize=10")
    assert [len(page) for page in pages] == [9, 9, 7]
    assert sorted(code for page in pages for code in page) == [str(number) for number in range(4000, 4025)]


def test_pages_can_be_full(accounts: World) -> None:
    accounts.sandbox.switches.short_pages = False
    assert [len(page) for page in read_all(accounts, "/v1/accounts?pageSize=10")] == [10, 10, 5]


def test_a_page_of_one_record_still_gets_on(accounts: World) -> None:
    assert len(read_all(accounts, "/v1/accounts?pageSize=1")) == 25


def test_what_fits_on_one_page_comes_on_one_page_without_a_token(accounts: World) -> None:
    reply = accounts.get("/v1/accounts?pageSize=25")
    assert len(codes(reply)) == 25
    assert reply.continuation is None


@pytest.mark.parametrize("name", ["X-amz-meta-continuationToken", "X-AMZ-META-CONTINUATIONTOKEN"])
def test_the_name_of_the_header_has_no_case(accounts: World, name: str) -> None:
    first = accounts.get("/v1/accounts?pageSize=10")
    second = accounts.call("GET", "/v1/accounts?pageSize=10", headers={name: first.continuation or ""})
    assert not set(codes(first)) & set(codes(second))


def test_a_token_in_the_query_is_ignored_so_that_the_first_page_comes_again(accounts: World) -> None:
    first = accounts.get("/v1/accounts?pageSize=10")
    again = accounts.get(f"/v1/accounts?pageSize=10&{TOKEN}={first.continuation}")
    assert codes(again) == codes(first)


@pytest.mark.parametrize(
    "path", ["/v1/accounts?pageSize=9", "/v1/accounts", "/v1/accounts?pageSize=10&companyCode=1000", "/v1/costCenters"]
)
def test_a_token_under_another_query_is_400(accounts: World, path: str) -> None:
    token = accounts.get("/v1/accounts?pageSize=10").continuation
    reply = accounts.call("GET", path, headers={TOKEN: token or ""})
    assert (reply.status, reply.codes) == (400, ["PARAMETER_VALIDATION_ERROR"])


@pytest.mark.parametrize("token", ["made-up", "W10=", "eA==", "äö"])
def test_a_made_up_token_is_400(accounts: World, token: str) -> None:
    reply = accounts.call("GET", "/v1/accounts", headers={TOKEN: token})
    assert reply.status == 400


@pytest.mark.parametrize("size", ["0", "-1", "501", "many", "1.5"])
def test_a_page_size_outside_the_limits_is_400(accounts: World, size: str) -> None:
    assert accounts.get(f"/v1/accounts?pageSize={size}").codes == ["PARAMETER_VALIDATION_ERROR"]


@pytest.mark.parametrize(("path", "most"), [("/v1/vendors", 500), ("/v1/accountingDocuments", 100)])
def test_each_list_has_a_largest_page_of_its_own(world: World, path: str, most: int) -> None:
    assert world.get(f"{path}?pageSize={most}").status != 400
    assert world.get(f"{path}?pageSize={most + 1}").status == 400


def test_records_that_leave_the_filter_between_two_pages_shift_what_follows(world: World) -> None:
    for number in range(2, 7):
        world.sandbox.documents.issue({**world.document("inv-1"), "invoiceId": f"inv-{number}"})
    path = "/v1/accountingDocuments?ProcessingStatus=WaitingForTransfer&pageSize=2"
    world.sandbox.switches.short_pages = False
    first = world.fetch(world.get(path))
    for document in first.json["accountingDocuments"]:
        world.post(f"/v1/accountingDocuments/{document['invoiceId']}/acknowledge")
    second = world.fetch(world.call("GET", path, headers={TOKEN: first.continuation or ""}))
    seen = {entry["invoiceId"] for reply in (first, second) for entry in reply.json["accountingDocuments"]}
    assert len(seen) == 4
    assert len(world.documents("?ProcessingStatus=WaitingForTransfer")) == 4
