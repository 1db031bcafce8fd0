"""Reading: paging by key and by link, filters, keys, and what goes on the wire (contracts: SAP §4, §5)."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from syncengine.connectors.outcomes import Rejected, Unavailable
from syncengine.connectors.sap_b1 import equals
from syncengine.connectors.sap_b1.paging import Page, Query, _Trail, keyset_pages, link_position, linked_pages
from tests.connectors.servers import Received, http_answer, json_answer


def vendors(count: int) -> list[dict[str, str]]:
    return [{"CardCode": f"V{number:05d}"} for number in range(1, count + 1)]


def serving(sap, rows, *, page: int | None = None):
    """Answers like SAP: filter on the key, $top, $skip, page size from Prefer, and a relative link if more may come."""

    def answer(received: Received) -> bytes:
        query = received.query
        after = re.search(r"CardCode gt '([^']*)'", query.get("$filter", ""))
        matching = [row for row in rows if not after or row["CardCode"] > after[1]]
        skip, top = int(query.get("$skip", 0)), int(query.get("$top", 10**9))
        asked = re.search(r"maxpagesize=(\d+)", received.header("Prefer") or "")
        size = page or (int(asked[1]) if asked else 20)
        part = matching[skip : skip + min(top, size)]
        more = len(part) == size and top > size
        return sap.collection(part, f"BusinessPartners?$skip={skip + size}" if more else None)

    return answer


def codes(pages):
    return [row["CardCode"] for rows in pages for row in rows]


def read_all(client, **options):
    return codes(client.pages("BusinessPartners", key="CardCode", select=["CardName"], **options))


# --- by key


def test_pages_are_asked_for_by_the_last_key_received(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(250)))
    assert len(read_all(client, where=equals("CardType", "cSupplier"))) == 250
    first, second, third = (call.query for call in sap.calls)
    assert first == {
        "$select": "CardCode,CardName",
        "$filter": "CardType eq 'cSupplier'",
        "$orderby": "CardCode",
        "$top": "100",
    }
    assert second["$filter"] == "(CardType eq 'cSupplier') and (CardCode gt 'V00100')"
    assert third["$filter"] == "(CardType eq 'cSupplier') and (CardCode gt 'V00200')"
    assert all(call.header("Prefer") == "odata.maxpagesize=100" for call in sap.calls)
    assert all("$skip" not in call.query for call in sap.calls)


def test_a_full_last_page_is_followed_by_an_empty_one(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(200)))
    assert len(read_all(client)) == 200
    assert len(sap.calls) == 3


def test_an_empty_set_is_one_call(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, []))
    assert read_all(client) == []
    assert len(sap.calls) == 1


def test_a_server_that_makes_smaller_pages_than_asked_is_read_to_the_end(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(50), page=20))
    assert read_all(client) == codes([vendors(50)])


def test_reading_goes_on_behind_a_checkpoint(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(30)))
    assert read_all(client, after="V00028") == ["V00029", "V00030"]
    assert sap.calls[0].query["$filter"] == "CardCode gt 'V00028'"


def test_pages_come_one_by_one(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(500)))
    pages = client.pages("BusinessPartners", key="CardCode", select=[])
    assert len(next(pages)) == 100
    assert len(sap.calls) == 1


def test_a_row_inserted_before_the_position_neither_repeats_nor_skips_any(client, sap):
    rows = vendors(300)
    sap.on("GET", "BusinessPartners", serving(sap, rows))
    pages = client.pages("BusinessPartners", key="CardCode", select=[], page_size=100)
    seen = codes([next(pages)])
    rows.insert(0, {"CardCode": "V00000"})
    del rows[50]
    seen += codes(pages)
    assert seen == codes([vendors(300)])


def test_numeric_keys_stay_unquoted(client, sap):
    full = [{"DocEntry": number} for number in range(2)]
    sap.on("GET", "PurchaseOrders", sap.collection(full), sap.collection([]))
    list(client.pages("PurchaseOrders", key="DocEntry", select=[], page_size=2, after=800))
    assert [call.query["$filter"] for call in sap.calls] == ["DocEntry gt 800", "DocEntry gt 1"]


def test_a_quote_in_the_last_key_is_doubled_and_special_characters_survive(client, sap):
    keys = ["A&B+C#D%", "O'Reilly/ä?"]
    sap.on("GET", "BusinessPartners", sap.collection([{"CardCode": key} for key in keys]), sap.collection([]))
    list(client.pages("BusinessPartners", key="CardCode", select=[], page_size=2))
    assert sap.calls[1].query["$filter"] == "CardCode gt 'O''Reilly/ä?'"
    assert "+" not in sap.calls[1].target
    assert " " not in sap.calls[1].target


def test_a_collation_that_returns_a_known_key_falls_back_to_links_and_loses_nothing(client, sap):
    """Order and comparison disagree: `gt` brings back a key that was received before."""
    rows = [{"CardCode": code} for code in ("a1", "A1", "b1", "B1", "c1")]

    def answer(received: Received) -> bytes:
        if "gt" in received.query.get("$filter", ""):
            return sap.collection([rows[0], rows[2]])
        skip = int(received.query.get("$skip", 0))
        more = "BusinessPartners?$skip=" + str(skip + 2) if skip + 2 < len(rows) else None
        return sap.collection(rows[skip : skip + 2], more)

    sap.on("GET", "BusinessPartners", answer)
    pages = client.pages("BusinessPartners", key="CardCode", select=[], page_size=2)
    assert codes(pages) == ["a1", "A1", "b1", "B1", "c1"]
    fallback = [call.query for call in sap.calls[2:]]
    assert all(query["$orderby"] == "CardCode" and "$top" not in query for query in fallback)
    assert [query.get("$skip") for query in fallback] == [None, "2", "4"]


def test_a_keyset_that_turns_in_circles_does_not_run_for_ever():
    circle = [[{"K": "a"}, {"K": "b"}], [{"K": "c"}, {"K": "d"}], [{"K": "x"}, {"K": "b"}]]
    turns = iter(range(10**9))

    def fetch(query: Query) -> Page:
        if query.top:
            return Page(circle[next(turns) % 3], None)
        return Page([{"K": key} for key in "abcdxy"], None)

    assert [row["K"] for rows in keyset_pages(fetch, Query("X", page_size=2), "K", None) for row in rows] == list(
        "abcdxy"
    )


def test_the_numbers_minus_one_and_minus_two_are_two_keys():
    """To Python both have the hash -2."""

    def fetch(query: Query) -> Page:
        return Page([{"K": -1}, {"K": -1}] if query.top else [{"K": -2}, {"K": -1}, {"K": 1}], None)

    assert [row["K"] for rows in keyset_pages(fetch, Query("X", page_size=2), "K", None) for row in rows] == [-2, -1, 1]


def test_the_trail_of_a_million_keys_stays_small():
    trail = _Trail("K")
    for page in range(100):
        rows = [{"K": f"V{page:04d}-{number:04d}"} for number in range(100)]
        assert not trail.repeats(rows)
        trail.add(rows)
    assert trail._hashes.itemsize * len(trail._hashes) == 80_000
    assert len(trail._last_page) == len(trail._turns) == 100


def test_rows_without_their_key_are_unexpected(client, sap):
    sap.on("GET", "BusinessPartners", sap.collection([{"CardName": "x"}]))
    with pytest.raises(Unavailable) as fault:
        read_all(client)
    assert fault.value.code == "unexpected_answer"


@pytest.mark.parametrize("answer", [json_answer({"x": 1}), json_answer([]), json_answer({"value": {}}), json_answer(5)])
def test_an_answer_that_is_no_collection_is_unexpected(client, sap, answer):
    sap.on("GET", "BusinessPartners", answer)
    with pytest.raises(Unavailable) as fault:
        read_all(client)
    assert fault.value.code == "unexpected_answer"


def test_a_session_lost_between_pages_is_renewed_without_losing_the_place(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(250)))
    pages = client.pages("BusinessPartners", key="CardCode", select=[])
    seen = codes([next(pages)])
    sap.expire_sessions()
    assert seen + codes(pages) == codes([vendors(250)])
    assert len(sap.logins) == 2


def test_a_page_size_of_zero_never_goes_out(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(1)))
    read_all(client, page_size=0)
    client.get("BusinessPartners", page_size=0)
    assert [call.header("Prefer") for call in sap.calls] == ["odata.maxpagesize=1", "odata.maxpagesize=1", None]


# --- by link


def test_find_follows_links_and_reapplies_its_own_options(client, sap):
    """Some servers leave select, filter and order out of the link."""
    sap.on("GET", "BusinessPartners", serving(sap, vendors(50), page=20))
    found = client.find("BusinessPartners", where="", select=["CardCode"], top=45, order_by="CardCode")
    assert codes([found]) == codes([vendors(45)])
    queries = [call.query for call in sap.calls]
    assert [query["$top"] for query in queries] == ["45", "25", "5"]
    assert [query.get("$skip") for query in queries] == [None, "20", "40"]
    assert all(query["$select"] == "CardCode" and query["$orderby"] == "CardCode" for query in queries)


def test_a_top_below_the_page_size_needs_one_call(client, sap):
    sap.on("GET", "BusinessPartners", serving(sap, vendors(50)))
    assert len(client.find("BusinessPartners", where="", select=["CardCode"], top=3)) == 3
    assert len(sap.calls) == 1


def test_case_insensitive_reads_say_so_in_their_header(client, sap):
    sap.on("GET", "PurchaseInvoices", sap.collection([]))
    client.find("PurchaseInvoices", where="NumAtCard eq 'x'", select=["DocEntry"], case_insensitive=True)
    client.find("PurchaseInvoices", where="NumAtCard eq 'x'", select=["DocEntry"])
    client.get("PurchaseInvoices", case_insensitive=True)
    assert [call.header("B1S-CaseInsensitive") for call in sap.calls] == ["true", None, "true"]


def test_an_absolute_link_below_our_root_is_followed(client, sap):
    link = f"{client.settings.root}/BusinessPartners?$skip=2"
    sap.on("GET", "BusinessPartners", sap.collection(vendors(2), link), sap.collection([]))
    client.find("BusinessPartners", where="", select=["CardCode"])
    assert sap.calls[1].query["$skip"] == "2"


@pytest.mark.parametrize(
    "link", ["https://evil.example/b1s/v2/BusinessPartners?$skip=2", "http://127.0.0.1/b1s/v2x?$skip=1"]
)
def test_a_link_to_another_server_is_not_followed(client, sap, link):
    sap.on("GET", "BusinessPartners", sap.collection(vendors(2), link))
    with pytest.raises(Unavailable) as fault:
        client.find("BusinessPartners", where="", select=["CardCode"])
    assert fault.value.code == "paging_link"


def test_a_filter_that_holds_a_url_does_not_make_a_link_absolute(client, sap):
    link = "BusinessPartners?$filter=Website%20eq%20'https://x/y'&$skip=2"
    sap.on("GET", "BusinessPartners", sap.collection(vendors(2), link), sap.collection([]))
    client.find("BusinessPartners", where="", select=["CardCode"])
    assert len(sap.calls) == 2


def test_a_link_that_repeats_is_noticed(client, sap):
    sap.on("GET", "BusinessPartners", sap.collection(vendors(2), "BusinessPartners?$skip=2"))
    with pytest.raises(Unavailable) as fault:
        client.find("BusinessPartners", where="", select=["CardCode"])
    assert fault.value.code == "paging_loop"
    assert len(sap.calls) == 2


def test_an_empty_page_with_a_link_is_the_end(client, sap):
    sap.on("GET", "BusinessPartners", sap.collection([], "BusinessPartners?$skip=2"))
    assert client.find("BusinessPartners", where="", select=["CardCode"]) == []


@pytest.mark.parametrize(
    ("link", "position"),
    [
        ("X?$select=A&$skip=20", ("$skip", "20")),
        ("X?%24skip=20", ("$skip", "20")),
        ("/b1s/v2/X?$skiptoken=abc%20d&$skip=20", ("$skiptoken", "abc d")),
    ],
)
def test_the_position_is_taken_from_a_link(link, position):
    assert link_position(link) == position


def test_a_link_without_position_is_an_error_not_an_end():
    with pytest.raises(Unavailable) as fault:
        list(linked_pages(lambda _: Page([{"K": 1}], "X?$select=K"), Query("X")))
    assert fault.value.code == "paging_link"


# --- single records and lists of keys


def test_one_record_by_key(client, sap):
    sap.on("GET", "PurchaseInvoices(4711)", json_answer({"DocEntry": 4711, "DocTotal": Decimal("100.10")}))
    assert client.by_key("PurchaseInvoices", 4711, ["DocEntry", "DocTotal"])["DocTotal"] == Decimal("100.10")
    assert sap.calls[0].query == {"$select": "DocEntry,DocTotal"}


@pytest.mark.parametrize("status", [400, 404])
def test_a_missing_record_is_none(client, sap, status):
    sap.on("GET", "PurchaseInvoices(1)", sap.error(status, -2028, "No matching records found (ODBC -2028)"))
    assert client.by_key("PurchaseInvoices", 1) is None


def test_another_refusal_is_not_taken_for_a_missing_record(client, sap):
    sap.on("GET", "PurchaseInvoices(1)", sap.error(400, 201, "Property 'X' is invalid"))
    with pytest.raises(Rejected):
        client.by_key("PurchaseInvoices", 1)


def test_a_404_page_of_a_proxy_is_not_taken_for_a_missing_record(client, sap):
    sap.on("GET", "PurchaseInvoices(1)", http_answer(404, "<html>", Content_Type="text/html"))
    with pytest.raises(Unavailable):
        client.by_key("PurchaseInvoices", 1)


@pytest.mark.parametrize("key", ["A/B", "50%", "a?b#c", "O'Reilly & Sons+x", "blank in it", "ä"])
def test_keys_with_special_characters_arrive_whole(client, sap, key):
    path = "BusinessPartners('{}')".format(key.replace("'", "''"))
    sap.on("GET", path, json_answer({"CardCode": key}))
    assert client.by_key("BusinessPartners", key) == {"CardCode": key}


def test_many_keys_are_asked_for_in_filters_short_enough_for_sap(client, sap):
    def answer(received: Received) -> bytes:
        return sap.collection([{"DocEntry": int(key)} for key in re.findall(r"eq (\d+)", received.query["$filter"])])

    sap.on("GET", "PurchaseInvoices", answer)
    rows = client.by_keys("PurchaseInvoices", "DocEntry", [*range(1, 51), 1, 2], ["DocTotal"])
    assert [row["DocEntry"] for row in rows] == list(range(1, 51))
    assert [call.query["$filter"].count(" eq ") for call in sap.calls] == [19, 19, 12]
    assert sap.calls[0].query["$select"] == "DocEntry,DocTotal"


def test_long_keys_make_shorter_filters(client, sap):
    sap.on("GET", "PurchaseInvoices", sap.collection([]))
    keys = [f"{number:03d}-" + "ä" * 40 for number in range(20)]
    client.by_keys("PurchaseInvoices", "NumAtCard", keys, ["DocEntry"])
    assert max(len(f"http://127.0.0.1:99999{call.target}") for call in sap.calls) <= 2000
    assert sum(call.query["$filter"].count(" eq ") for call in sap.calls) == 20
    assert len(sap.calls) > 2


def test_no_keys_need_no_call(client, sap):
    assert client.by_keys("PurchaseInvoices", "DocEntry", [], []) == []
    assert not sap.calls
    assert not sap.logins


def test_text_is_searched_in_the_words_of_the_version(client, sap):
    expected = {"v1": "substringof('O''R',CardName)", "v2": "contains(CardName,'O''R')"}
    assert client.contains("CardName", "O'R") == expected[sap.version]


def test_a_bare_number_is_read(client, sap):
    sap.on("GET", "PurchaseInvoices/$count", http_answer(200, "42", Content_Type="text/plain"))
    assert client.get("PurchaseInvoices/$count", {"$filter": "CardCode eq 'V1'"}) == 42


def test_reads_wait_as_long_as_the_transport_says_and_writes_longer(client, sap, monkeypatch):
    waited = []
    send = client.transport.send

    def spy(request, judge):
        waited.append((request.method, request.writes, request.read_timeout))
        return send(request, judge)

    monkeypatch.setattr(client.transport, "send", spy)
    sap.on("GET", "Projects", sap.collection([]))
    sap.on("POST", "PurchaseInvoices", json_answer({"DocEntry": 1}, 201))
    client.find("Projects", where="", select=["Code"])
    client.create("PurchaseInvoices", {})
    assert waited == [("POST", False, None), ("GET", False, None), ("POST", True, 180.0)]
