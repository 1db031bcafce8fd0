"""Query options, paging, etags, both shapes (contracts: SAP §1, §4, §5, §6, §11 points 3-7)."""

from __future__ import annotations

import json
import time

import pytest

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.model import SETS, entity_set
from syncengine.sandbox.sap_b1.server import SapSandbox
from syncengine.sandbox.sap_b1.shapes import etag
from syncengine.sandbox.store import Store
from tests.sandbox.sap_b1.conftest import Client, error_of

SUPPLIERS = "BusinessPartners?$select=CardCode&$filter=CardType eq 'cSupplier'"


def codes(client, condition, **headers):
    rows = client.rows(
        f"BusinessPartners?$select=CardCode&$filter={condition}", Prefer="odata.maxpagesize=0", **headers
    )
    return [row["CardCode"] for row in rows]


@pytest.mark.parametrize("name", sorted(SETS))
def test_every_set_can_be_read(client, name):
    assert "value" in client.read(f"{name}?$top=1")


def test_the_default_page_has_20_rows_and_a_relative_link(client):
    page = client.read(f"{SUPPLIERS}&$orderby=CardCode")
    assert len(page["value"]) == 20
    link = page["@odata.nextLink"]
    assert link.startswith("BusinessPartners?$select=CardCode&$filter=")
    assert link.endswith("&$skip=20")
    assert client.rows(link)[0]["CardCode"] == "V10020"


@pytest.mark.parametrize("header", [{"Prefer": "odata.maxpagesize=100"}, {"B1S_PageSize": "100"}])
def test_the_page_size_can_be_asked_for(client, header):
    assert len(client.rows(SUPPLIERS, **header)) == 100


def test_page_size_zero_switches_paging_off(client):
    page = client.read(SUPPLIERS, Prefer="odata.maxpagesize=0")
    assert len(page["value"]) == 300
    assert "@odata.nextLink" not in page


def test_a_full_last_page_still_carries_a_link_to_an_empty_page(client):
    page = client.read("Projects?$select=Code&$orderby=Code", Prefer="odata.maxpagesize=15")
    assert len(page["value"]) == 15
    last = client.read(page["@odata.nextLink"], Prefer="odata.maxpagesize=15")
    assert last["value"] == []
    assert "@odata.nextLink" not in last


def test_a_top_below_the_page_has_no_link_and_one_above_counts_down(client):
    assert "@odata.nextLink" not in client.read(f"{SUPPLIERS}&$top=5")
    page = client.read(f"{SUPPLIERS}&$top=500", Prefer="odata.maxpagesize=100")
    assert page["@odata.nextLink"].endswith("&$top=400&$skip=100")
    assert "@odata.nextLink" not in client.read(f"{SUPPLIERS}&$top=100", Prefer="odata.maxpagesize=100")


def test_percent_encoded_option_names_are_taken(client):
    assert len(client.rows("Projects?%24top=3")) == 3


def test_keyset_reading_sees_every_row_once(client):
    seen, last = [], ""
    while True:
        path = f"{SUPPLIERS} and CardCode gt '{last}'&$orderby=CardCode&$top=100"
        rows = client.rows(path, Prefer="odata.maxpagesize=100")
        seen += [row["CardCode"] for row in rows]
        if len(rows) < 100:
            break
        last = seen[-1]
    assert len(seen) == len(set(seen)) == 300


def test_counts_inline_and_alone(client):
    assert client.read(f"{SUPPLIERS}&$count=true&$top=1")["@odata.count"] == 300
    alone = client.get("BusinessPartners/$count?$filter=CardType eq 'cLid'")
    assert (alone.text, alone.headers["Content-Type"].split(";")[0]) == ("10", "text/plain")


def test_rows_come_in_the_order_asked_for(client):
    rows = client.rows("PurchaseOrders?$select=DocEntry,CardCode&$orderby=CardCode desc,DocEntry asc")
    pairs = [(row["CardCode"], -row["DocEntry"]) for row in rows]
    assert pairs == sorted(pairs, reverse=True)
    last = client.rows("PurchaseOrders?$select=DocEntry&$orderby=DocEntry desc&$top=1")[0]["DocEntry"]
    assert last == 920


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("CardCode eq 'V10000'", ["V10000"]),
        ("CardCode eq 'v10000'", []),
        ("CardCode ge 'V10298' and CardCode lt 'V10300' and CardType eq 'cSupplier'", ["V10298", "V10299"]),
        ("(CardCode eq 'V10001' or CardCode eq 'V10003') and not (CardCode eq 'V10003')", ["V10001"]),
        ("CardCode eq 'V10001' or CardCode gt 'V10298' and CardType eq 'S'", ["V10001", "V10299"]),
        ("startswith(CardName,'K') and CardType eq 'cSupplier' and endswith(CardName,'K')", ["V10295"]),
        ("contains(CardName,'Laakeri AB') and CardType eq 'cSupplier'", ["V10006"]),
        ("CardName eq null", ["V10294"]),
        ("Currency eq null and CardType eq 'cSupplier'", ["V10299"]),
        ("SubjectToWithholdingTax eq 'boYES'", ["V10292", "V10293"]),
        ("PaymentBlock eq 'Y'", ["V10290", "V10291"]),
        ("GroupCode eq 102 and CardCode le 'V10003' and CardType eq 'cSupplier'", ["V10001", "V10003"]),
        ("GroupCode eq '102' and CardCode le 'V10001' and CardType eq 'cSupplier'", ["V10001"]),
        ("ValidTo ne null", ["V10287"]),
    ],
)
def test_filters(client, condition, expected):
    assert codes(client, condition) == expected


def test_quotes_are_doubled_and_odd_characters_encoded(client, service_invoice):
    number = "O'Hara / 77 & 3 + #1 %"
    assert client.post("PurchaseInvoices", service_invoice | {"NumAtCard": number}).status_code == 201
    condition = "NumAtCard%20eq%20'O''Hara%20%2F%2077%20%26%203%20%2B%20%231%20%25'"
    assert len(client.rows(f"PurchaseInvoices?$filter={condition}")) == 1


def test_comparisons_ignore_case_only_when_asked_to(client):
    assert codes(client, "CardCode eq 'v10000'", B1S_CaseInsensitive="true") == ["V10000"]


@pytest.mark.parametrize("day", ["'{0}'", "'{0}T00:00:00Z'", "'{1}'"])
def test_dates_may_be_written_in_three_ways(client, sap, day):
    order = sap.company.collection("PurchaseOrders")[801]
    literal = day.format(order["DocDate"], order["DocDate"].replace("-", ""))
    rows = client.rows(f"PurchaseOrders?$select=DocEntry&$filter=DocDate eq {literal} and DocEntry eq 801")
    assert len(rows) == 1


def test_times_may_leave_out_seconds(client):
    assert client.rows("BusinessPartners?$select=CardCode&$filter=UpdateTime ge '16:40'&$top=1")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Projects?$select=Code,Nope", "Property 'Nope' is invalid"),
        ("Projects?$filter=Nope eq 1", "Property 'Nope' is invalid"),
        ("Projects?$orderby=Nope", "Property 'Nope' is invalid"),
        ("Projects?$filter=name eq 'x'", "Property 'name' is invalid"),
        ("Projects?$filter=Code eq", "Query string error - Invalid filter condition"),
        ("Projects?$filter=Code eq X", "Query string error - Invalid filter condition"),
        ("Projects?$filter=Code like 'X'", "Query string error - Invalid filter condition"),
        ("Projects?$filter=Active eq false", "Query string error - Invalid filter condition"),
        ("Projects?$filter=Active eq 'yes'", "Query string error - Invalid filter condition"),
        ("Projects?$filter=Code eq 'X", "Query string error - Invalid filter condition"),
        ("Projects?$filter=(Code eq 'X'", "Query string error - Invalid filter condition"),
        ("Projects?$filter=tolower(Code) eq 'x'", "Query string error - Invalid filter condition"),
        ("Projects?$filter=substringof('x',Code)", "Query string error - Invalid filter condition"),
        ("Projects?$filter=Code gt null", "Query string error - Invalid filter condition"),
        ("Projects?$filter=ValidFrom gt 2026-01-01", "Query string error - Invalid filter condition"),
        ("Projects?$filter=ValidFrom gt 'yesterday'", "Query string error - Invalid filter condition"),
        ("PurchaseOrders?$filter=DocumentLines eq 1", "Query string error - Invalid filter condition"),
        ("PurchaseOrders?$filter=DocEntry eq 'x'", "Query string error - Invalid filter condition"),
        ("PurchaseOrders?$orderby=DocumentLines", "Query string error - Invalid orderby"),
        ("PurchaseOrders?$top=x", "Query string error - Invalid paging value"),
        (
            "PurchaseOrders?$expand=DocumentLines",
            "Cannot expand invalid navigation property 'DocumentLines' for entity type 'Document'",
        ),
        ("PurchaseOrders?$search=x", "Query string error - Invalid query option '$search'"),
        ("PurchaseOrders('x')", "Invalid key ''x''"),
        ("Projects(1)", "Invalid key '1'"),
    ],
)
def test_bad_queries_are_refused_with_code_201(client, path, text):
    assert error_of(client.get(path)) == (400, "201", text)


def test_a_select_gives_what_was_named_and_collections_whole(client):
    (row,) = client.rows("PurchaseOrders?$select=DocEntry,DocumentLines&$filter=DocEntry eq 803")
    assert set(row) == {"@odata.etag", "DocEntry", "DocumentLines"}
    assert len(row["DocumentLines"][0]) > 200


def test_a_full_read_has_every_property_of_the_type(client):
    row = client.read("PurchaseOrders(801)")
    assert set(entity_set("PurchaseOrders").type.kinds) <= set(row)
    assert isinstance(row["DocTotal"], float)
    assert row["DocDate"].endswith("T00:00:00Z")
    assert row["Rounding"] == "tNO"


def test_real_navigation_expands(client):
    row = client.read("PurchaseOrders(801)?$select=DocEntry&$expand=BusinessPartner($select=CardCode,CardName)")
    assert set(row["BusinessPartner"]) == {"CardCode", "CardName"}


def test_a_missing_key_is_minus_2028(client):
    assert error_of(client.get("Projects('NOPE')")) == (404, "-2028", "No matching records found (ODBC -2028)")
    assert error_of(client.call("PATCH", "Projects('NOPE')", {})) == (
        404,
        "-2028",
        "Entity with value('NOPE') does not exist",
    )


def test_keys_may_hold_slashes_and_quotes(client):
    assert client.post("Projects", {"Code": "A/'B", "Name": "odd", "Active": "tYES"}).status_code == 201
    assert client.read("Projects('A%2F''B')")["Name"] == "odd"
    assert client.read("PurchaseOrders(DocEntry=801)")["DocEntry"] == 801


def test_etags_are_the_sha1_of_the_version_and_false_on_projections(client, sap):
    assert etag(1) == 'W/"356A192B7913B04C54574D18C28D46E6395428AB"'
    assert etag(3) == 'W/"77DE68DAECD823BABBB58EDB1C8E14D7106E83BB"'
    version = sap.company.collection("BusinessPartners")["V10002"]["DataVersion"]
    assert version != 1
    whole = client.get("BusinessPartners('V10002')")
    assert whole.headers["ETag"] == etag(version) == whole.json()["@odata.etag"]
    part = client.get("BusinessPartners('V10002')?$select=CardCode")
    assert "ETag" not in part.headers
    assert part.json()["@odata.etag"] == etag(1)
    assert "@odata.etag" not in client.read("Projects('P001')")


def test_if_match_guards_a_change(client):
    bad = client.call("PATCH", "BusinessPartners('V10002')", {"Phone1": "1"}, If_Match=etag(99))
    assert error_of(bad)[:2] == (412, "-2039")
    good = client.get("BusinessPartners('V10002')").headers["ETag"]
    assert client.call("PATCH", "BusinessPartners('V10002')", {"Phone1": "1"}, If_Match=good).status_code == 204
    after = client.get("BusinessPartners('V10002')")
    assert after.headers["ETag"] != good
    assert after.json()["UpdateDate"][:10] == client.sap.company.today


def test_v1_has_its_own_shapes(v1):
    answer = v1.get("PurchaseOrders?$select=DocEntry,DocDate&$filter=substringof('V1',CardCode)&$inlinecount=allpages")
    body = answer.json()
    assert {"odata.metadata", "odata.nextLink", "odata.count", "value"} == set(body)
    assert body["odata.count"] == "120"
    assert len(body["value"][0]["DocDate"]) == 10
    assert answer.headers["DataServiceVersion"] == "3.0"
    assert "OData-Version" not in answer.headers
    assert "odata.etag" in body["value"][0]


def test_v1_errors_have_a_number_and_a_message_object(v1):
    body = v1.get("Projects('NOPE')").json()
    text = {"lang": "en-us", "value": "No matching records found (ODBC -2028)"}
    assert body == {"error": {"code": -2028, "message": text}}
    assert v1.get("Projects?$filter=contains(Code,'x')").json()["error"]["code"] == 201


def test_v2_errors_have_a_string_and_details(client):
    body = client.get("Projects('NOPE')").json()
    assert body["error"]["code"] == "-2028"
    assert body["error"]["details"] == [{"code": "", "message": ""}]


def test_user_fields_are_listed_filtered_and_selected(client, service_invoice):
    names = [row["Name"] for row in client.rows("UserFieldsMD?$filter=TableName eq 'OPCH'")]
    assert names == ["BW_InvoiceId"]
    client.post("PurchaseInvoices", service_invoice)
    found = client.rows("PurchaseInvoices?$select=DocEntry,U_BW_InvoiceId&$filter=U_BW_InvoiceId eq '8f2c1d'")
    assert found[0]["U_BW_InvoiceId"] == "8f2c1d"
    assert error_of(client.get("PurchaseInvoices?$filter=U_Other eq 'x'"))[1] == "201"


def test_a_user_field_can_be_added(client):
    body = {"TableName": "OPCH", "Name": "Other", "Type": "db_Alpha", "Size": 20, "Description": "Other"}
    assert client.post("UserFieldsMD", body).status_code == 201
    assert client.rows("PurchaseCreditNotes?$filter=U_Other eq 'x'") == []


def test_ten_thousand_partners_are_paged_quickly():
    with SapSandbox(Store(), Dataset(scale=10_000)) as sap:
        client, started, last, rows = Client(sap), time.monotonic(), "", 0
        client.log_in()
        for _ in range(20):
            path = f"{SUPPLIERS} and CardCode gt '{last}'&$orderby=CardCode&$top=100"
            page = json.loads(client.get(path, Prefer="odata.maxpagesize=100").content)["value"]
            rows, last = rows + len(page), page[-1]["CardCode"]
        assert rows == 2000
        assert (time.monotonic() - started) / 20 < 0.1


def test_sorted_keys_follow_changes(client, sap):
    by_name = "Projects?$select=Code&$orderby=Name desc&$top=1"
    assert client.rows(by_name)
    project = sap.company.collection("Projects")["P001"] | {"Name": "Zzz"}
    sap.company.collection("Projects").put("P001", project)
    assert client.rows(by_name) == [{"Code": "P001"}]
