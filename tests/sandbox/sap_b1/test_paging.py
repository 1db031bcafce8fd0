"""Pages, links and why synchronising goes by key (contracts: SAP §5, §11 point 4)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.sandbox.sap_b1.model import entity_set
from syncengine.sandbox.sap_b1.query import EVERYTHING, Options, Reader
from syncengine.sandbox.store import Store
from tests.sandbox.sap_b1.conftest import error_of

SUPPLIERS = "BusinessPartners?$select=CardCode&$filter=CardType eq 'cSupplier'"
LINK = "@odata.nextLink"


def size(rows: int) -> dict[str, str]:
    return {"Prefer": f"odata.maxpagesize={rows}"}


def followed(client, path, between=lambda page: None, **headers):
    """The codes of all pages by their links; `between` is done after each page."""
    codes, number = [], 0
    while path:
        page = client.read(path, **headers)
        codes += [row["CardCode"] for row in page["value"]]
        path, number = page.get(LINK), number + 1
        between(number)
    return codes


def by_key(client, rows, between=lambda page: None):
    """The keyset reading of the contract."""
    codes, last, number = [], "", 0
    while True:
        path = f"{SUPPLIERS} and CardCode gt '{last}'&$orderby=CardCode&$top={rows}"
        page = [row["CardCode"] for row in client.rows(path, **size(rows))]
        codes, number = codes + page, number + 1
        if len(page) < rows:
            return codes
        last = page[-1]
        between(number)


def test_the_link_repeats_every_option_and_moves_only_the_skip(client):
    options = "$select=CardCode&$filter=CardType%20eq%20'cSupplier'&$orderby=CardCode%20desc&$count=true"
    link = client.read(f"BusinessPartners?{options}")[LINK]
    assert link == f"BusinessPartners?{options}&$skip=20"
    assert client.read(link)[LINK] == f"BusinessPartners?{options}&$skip=40"


def test_the_link_is_relative_to_the_service_root(client):
    link = client.read(SUPPLIERS)[LINK]
    assert not link.startswith(("/", "http"))
    assert client.get(link).status_code == 200


@pytest.mark.parametrize("rows", [1, 7, 100, 299, 300, 301])
def test_links_lead_through_all_rows_whatever_the_page(client, rows):
    if rows == 1:
        path = f"{SUPPLIERS} and CardCode lt 'V10005'"
        assert len(followed(client, path, **size(1))) == 5
        return
    codes = followed(client, f"{SUPPLIERS}&$orderby=CardCode", **size(rows))
    assert codes == [f"V{10000 + number}" for number in range(300)]


def test_the_page_size_is_asked_for_with_every_page(client):
    link = client.read(SUPPLIERS, **size(100))[LINK]
    assert len(client.rows(link)) == 20


def test_prefer_goes_before_the_older_header(client):
    assert len(client.rows(SUPPLIERS, B1S_PageSize="50", **size(30))) == 30
    assert len(client.rows(SUPPLIERS, Prefer="return-no-content", B1S_PageSize="50")) == 50


def test_a_last_page_that_is_not_full_ends_the_reading(client):
    page = client.read(f"{SUPPLIERS}&$skip=290", **size(100))
    assert len(page["value"]) == 10
    assert LINK not in page


def test_a_full_last_page_leads_to_an_empty_one(client):
    page = client.read(f"{SUPPLIERS}&$skip=200", **size(100))
    assert page[LINK].endswith("&$skip=300")
    assert client.read(page[LINK], **size(100))["value"] == []


def test_behind_the_end_there_is_nothing_and_no_link(client):
    page = client.read(f"{SUPPLIERS}&$skip=5000")
    assert page["value"] == []
    assert LINK not in page


@pytest.mark.parametrize(
    ("top", "page", "rows", "link"),
    [
        (0, 20, 0, None),
        (5, 20, 5, None),
        (20, 20, 20, None),
        (21, 20, 20, "$top=1&$skip=20"),
        (500, 100, 100, "$top=400&$skip=100"),
        (150, 100, 100, "$top=50&$skip=100"),
    ],
)
def test_a_top_counts_down_from_page_to_page(client, top, page, rows, link):
    answer = client.read(f"{SUPPLIERS}&$top={top}", **size(page))
    assert len(answer["value"]) == rows
    assert (answer.get(LINK) or "").endswith(link or "")
    assert (LINK in answer) == (link is not None)


def test_a_top_over_several_pages_gives_exactly_so_many_rows(client):
    codes = followed(client, f"{SUPPLIERS}&$orderby=CardCode&$top=45", **size(20))
    assert codes == [f"V{10000 + number}" for number in range(45)]


def test_a_skip_and_a_top_together(client):
    rows = client.rows(f"{SUPPLIERS}&$orderby=CardCode&$top=3&$skip=10")
    assert [row["CardCode"] for row in rows] == ["V10010", "V10011", "V10012"]


def test_count_says_the_same_on_every_page(client):
    first = client.read(f"{SUPPLIERS}&$count=true", **size(100))
    second = client.read(first[LINK], **size(100))
    assert first["@odata.count"] == second["@odata.count"] == 300


def test_skipping_repeats_a_row_when_one_is_inserted_before_it(client, sap):
    def insert(page):
        if page == 1:
            sap.company.collection("BusinessPartners").put("V0", {"CardCode": "V0", "CardType": "cSupplier"})

    codes = followed(client, f"{SUPPLIERS}&$orderby=CardCode", insert, **size(100))
    assert codes.count("V10099") == 2
    assert "V0" not in codes


def test_skipping_loses_a_row_without_a_word_when_one_is_removed_before_it(client, sap):
    def remove(page):
        if page == 1:
            sap.company.collection("BusinessPartners").delete("V10003")

    codes = followed(client, f"{SUPPLIERS}&$orderby=CardCode", remove, **size(100))
    assert "V10100" not in codes
    assert len(codes) == 299


def test_reading_by_key_neither_loses_nor_repeats_a_row(client, sap):
    partners = sap.company.collection("BusinessPartners")

    def disturb(page):
        if page == 1:
            partners.put("V0", {"CardCode": "V0", "CardType": "cSupplier"})
            partners.delete("V10003")
            partners.put("V10150A", {"CardCode": "V10150A", "CardType": "cSupplier"})

    codes = by_key(client, 100, disturb)
    assert len(codes) == len(set(codes)) == 301
    assert {"V10099", "V10100", "V10150A", "V10299"} <= set(codes)


def test_string_keys_sort_as_the_server_sorts_them(client):
    codes = by_key(client, 64)
    assert codes == sorted(codes)


def test_paging_needs_a_session_on_every_page(client):
    link = client.read(SUPPLIERS)[LINK]
    client.post("Logout")
    assert error_of(client.get(link))[:2] == (401, "301")


def read_in_pages(numbers: list[int], page: int, top: int | None) -> tuple[list[int], int]:
    """All rows by following the links, and how many calls it took."""
    collection = Store().collection("PurchaseOrders")
    collection.fill((number, {"DocEntry": number}) for number in numbers)
    found, reader = entity_set("PurchaseOrders"), Reader()
    rows, skip, calls = [], 0, 0
    while True:
        answer = reader.page(collection, found, Options(None, EVERYTHING, [], top, skip, True, page))
        assert answer.count == len(numbers)
        rows, calls = rows + [row["DocEntry"] for row in answer.rows], calls + 1
        if answer.next_skip is None:
            return rows, calls
        skip, top = answer.next_skip, answer.next_top


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(1, 500), max_size=60), st.integers(1, 25), st.none() | st.integers(0, 80))
def test_following_the_links_gives_every_row_once_in_order(numbers, page, top):
    ordered = sorted(numbers)
    rows, calls = read_in_pages(ordered, page, top)
    assert rows == (ordered if top is None else ordered[:top])
    # A full last page leads to one empty call more, unless the top has been reached.
    ended_by_top = top is not None and top <= len(ordered)
    assert calls == (max(-(-top // page), 1) if ended_by_top else len(ordered) // page + 1)
