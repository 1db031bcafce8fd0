"""$select, $orderby, $expand, counts and literals (contracts: SAP §4, §9, §11 points 5 and 6)."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.sandbox.sap_b1.conftest import error_of

ALL = {"Prefer": "odata.maxpagesize=0"}


def keys(client, path, key="CardCode", **headers):
    return [row[key] for row in client.rows(path, **(ALL | headers))]


def test_a_select_keeps_the_order_of_its_names_and_knows_no_others(client):
    text = client.get("BusinessPartners?$select=CardName,CardCode&$top=1").text
    assert text.index('"CardName"') < text.index('"CardCode"')
    (row,) = client.rows("BusinessPartners?$select=CardName, CardCode&$top=1")
    assert set(row) == {"@odata.etag", "CardName", "CardCode"}


@pytest.mark.parametrize(
    ("name", "inner"),
    [("BPBankAccounts", "IBAN"), ("BPAddresses", "City")],
)
def test_collections_are_selected_as_a_whole(client, name, inner):
    row = client.read(f"BusinessPartners('V10000')?$select={name}")
    assert row[name]
    assert all(inner in member for member in row[name])
    assert error_of(client.get(f"BusinessPartners?$select={name}/{inner}"))[:2] == (400, "201")


@pytest.mark.parametrize("path", ["BusinessPartners?$select=Nope", "BusinessPartners('V10000')?$select=CardCode,Nope"])
def test_an_unknown_name_in_a_select_is_refused(client, path):
    assert error_of(client.get(path)) == (400, "201", "Property 'Nope' is invalid")


def test_a_star_selects_everything(client):
    assert len(client.rows("Projects?$select=*&$top=1")[0]) == len(client.rows("Projects?$top=1")[0])


def test_names_of_sets_and_properties_are_case_sensitive(client):
    assert error_of(client.get("projects"))[:2] == (400, "-1002")
    assert error_of(client.get("Projects?$select=code"))[:2] == (400, "201")
    assert error_of(client.get("Projects?$orderby=code"))[:2] == (400, "201")


@pytest.mark.parametrize(("order", "reverse"), [("CardCode", False), ("CardCode asc", False), ("CardCode desc", True)])
def test_rows_are_ordered_up_or_down(client, order, reverse):
    found = keys(client, f"BusinessPartners?$select=CardCode&$orderby={order}")
    assert found == sorted(found, reverse=reverse)
    assert len(found) == 500


def test_a_second_order_decides_among_equals(client):
    rows = client.rows("BusinessPartners?$select=CardCode,GroupCode&$orderby=GroupCode desc,CardCode", **ALL)
    pairs = [(-row["GroupCode"], row["CardCode"]) for row in rows]
    assert pairs == sorted(pairs)


@pytest.mark.parametrize("order", ["CardCode up", "CardCode asc desc"])
def test_an_order_is_up_or_down_and_nothing_else(client, order):
    assert error_of(client.get(f"BusinessPartners?$orderby={order}"))[1] == "201"


def test_nulls_come_first(client):
    first = client.rows("BusinessPartners?$select=CardCode,CardName&$orderby=CardName&$top=1")[0]
    assert first["CardName"] is None


@pytest.mark.parametrize("option", ["$count=true", "$inlinecount=allpages"])
def test_both_counting_options_are_taken_and_count_all_that_match(client, option):
    page = client.read(f"BusinessPartners?$select=CardCode&$filter=CardType eq 'cCustomer'&{option}&$top=3")
    assert (page["@odata.count"], len(page["value"])) == (190, 3)


def test_without_asking_nothing_is_counted(client):
    assert "@odata.count" not in client.read("Projects?$top=1")
    assert "@odata.count" not in client.read("Projects?$count=false&$top=1")


def test_count_is_a_bare_number_as_text(client):
    answer = client.get("PurchaseOrders/$count")
    assert answer.status_code == 200
    assert re.fullmatch(r"\d+", answer.text)
    assert answer.text == "120"
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_count_honours_the_filter_and_ignores_the_page(client):
    condition = "$filter=DocumentStatus eq 'bost_Open' and CancelStatus eq 'csNo'"
    number = int(client.get(f"PurchaseOrders/$count?{condition}&$top=1").text)
    assert number == len(keys(client, f"PurchaseOrders?$select=DocEntry&{condition}", "DocEntry")) > 20
    assert error_of(client.get("PurchaseOrders/$count?$filter=Nope eq 1"))[1] == "201"


@pytest.mark.parametrize(
    ("path", "name", "of"),
    [
        ("PurchaseOrders(801)", "DocumentLines", "Document"),
        ("PurchaseOrders", "DocumentLines", "Document"),
        ("BusinessPartners", "BPAddresses", "BusinessPartner"),
        ("VendorPayments", "PaymentInvoices", "Payment"),
        ("Projects", "Nothing", "Project"),
    ],
)
def test_only_real_navigation_expands_even_where_there_are_no_rows(client, path, name, of):
    text = f"Cannot expand invalid navigation property '{name}' for entity type '{of}'"
    assert error_of(client.get(f"{path}?$expand={name}")) == (400, "201", text)


def test_navigation_leads_to_the_record_behind_the_key(client):
    row = client.read("PurchaseOrders(801)?$expand=BusinessPartner,PaymentTermsType($select=GroupNumber)")
    assert row["BusinessPartner"]["CardCode"] == row["CardCode"]
    assert row["PaymentTermsType"] == {"GroupNumber": row["PaymentGroupCode"]}


@pytest.mark.parametrize("option", ["$apply=aggregate(DocTotal)", "$skiptoken=1", "$search=x", "$levels=2"])
def test_options_that_are_not_spoken_are_refused_and_not_ignored(client, option):
    assert error_of(client.get(f"PurchaseOrders?{option}"))[:2] == (400, "201")


@pytest.mark.parametrize("option", ["$top=-1", "$top=many", "$skip=1.5", "$skip=-2"])
def test_a_page_is_asked_for_in_whole_numbers(client, option):
    assert error_of(client.get(f"PurchaseOrders?{option}"))[:2] == (400, "201")


def test_a_parameter_that_is_no_option_is_ignored(client):
    assert len(client.rows("Projects?cachebuster=1&$top=2")) == 2


@pytest.mark.parametrize("name", ["%24top", "%24TOP"])
def test_an_encoded_option_name_is_the_option_but_its_case_counts(client, name):
    answer = client.get(f"Projects?{name}=2")
    if name == "%24top":
        assert len(answer.json()["value"]) == 2
    else:
        assert error_of(answer)[1] == "201"


def test_spaces_may_be_encoded_either_way_and_a_plus_must_be(client):
    client.post("Projects", {"Code": "A+B", "Name": "plus", "Active": "tYES"})
    assert keys(client, "Projects?$filter=Code%20eq%20'A%2BB'", "Code") == ["A+B"]
    assert keys(client, "Projects?$filter=Code+eq+'A%2BB'", "Code") == ["A+B"]
    assert keys(client, "Projects?$filter=Code%20eq%20'A+B'", "Code") == []


def test_an_ampersand_that_is_not_encoded_cuts_the_filter(client):
    assert error_of(client.get("Projects?$filter=Name eq 'R&D'"))[1] == "201"
    assert client.rows("Projects?$filter=Name eq 'R%26D'") == []


@pytest.mark.parametrize("code", ["A/B", "A%B", "A?B", "A#B", "A'B", "A+B", "A&B", "A B", "Ä"])
def test_every_character_can_stand_in_a_key_once_it_is_encoded(client, code):
    made = client.post("Projects", {"Code": code, "Name": "odd", "Active": "tYES"})
    assert made.status_code == 201
    path = f"Projects('{quote(code.replace(chr(39), chr(39) * 2), safe='')}')"
    assert client.read(path)["Code"] == code
    assert client.call("DELETE", path).status_code == 204
    assert error_of(client.get(path))[1] == "-2028"


def test_the_location_of_a_key_with_a_quote_has_it_doubled(client):
    answer = client.post("Projects", {"Code": "O'Hara", "Name": "odd", "Active": "tYES"})
    assert answer.headers["Location"].endswith("/Projects('O''Hara')")


@pytest.mark.parametrize("path", ["PaymentTermsTypes(-1)", "PaymentTermsTypes(GroupNumber=-1)"])
def test_a_key_may_be_negative_and_may_be_named(client, path):
    assert client.read(path)["PaymentTermsGroupName"] == "Cash basic"


def test_case_counts_unless_the_header_says_otherwise(client, service_invoice):
    client.post("PurchaseInvoices", service_invoice | {"NumAtCard": "Inv-77a"})
    path = "PurchaseInvoices?$select=NumAtCard&$filter=CardCode eq 'V10004' and NumAtCard eq 'INV-77A'"
    assert client.rows(path) == []
    assert keys(client, path, "NumAtCard", B1S_CaseInsensitive="true") == ["Inv-77a"]
    assert client.rows(path, B1S_CaseInsensitive="false") == []
    begins = "PurchaseInvoices?$filter=startswith(NumAtCard,'iNV-7')"
    assert keys(client, begins, "NumAtCard", B1S_CaseInsensitive="true") == ["Inv-77a"]


def test_the_duplicate_check_of_the_contract_leaves_cancelled_documents_out(client, service_invoice):
    path = (
        "PurchaseInvoices?$select=DocEntry,DocNum,DocTotal,DocTotalFc,DocDate,DocumentStatus,CancelStatus"
        "&$filter=CardCode eq 'V10004' and NumAtCard eq 'A-1' and CancelStatus eq 'csNo'"
    )
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    assert keys(client, path, "DocEntry", B1S_CaseInsensitive="true") == [entry]
    client.post(f"PurchaseInvoices({entry})/Cancel")
    assert client.rows(path, B1S_CaseInsensitive="true") == []
    assert len(client.rows("PurchaseInvoices?$filter=NumAtCard eq 'A-1'")) == 2


def test_open_orders_can_be_told_from_closed_and_cancelled_ones(client):
    open_ones = client.rows(
        "PurchaseOrders?$select=DocEntry,DocumentStatus,CancelStatus,DocumentLines"
        "&$filter=DocumentStatus eq 'bost_Open' and CancelStatus eq 'csNo'",
        **ALL,
    )
    assert len(open_ones) == 83
    for order in open_ones:
        assert any(line["LineStatus"] == "bost_Open" for line in order["DocumentLines"])


def test_an_incremental_read_finds_what_was_created_or_changed_since(client, sap):
    since = sap.company.today
    condition = f"(UpdateDate ge '{since}' or CreateDate ge '{since}')"
    assert keys(client, f"BusinessPartners?$filter={condition}") == []
    client.call("PATCH", "BusinessPartners('V10007')", {"Phone1": "1"})
    client.post("BusinessPartners", {"CardCode": "V99999", "CardName": "New", "CardType": "cSupplier"})
    assert keys(client, f"BusinessPartners?$filter={condition}") == ["V10007", "V99999"]


def test_an_untouched_partner_may_have_no_update_date(client):
    never = client.rows("BusinessPartners?$select=CardCode,CreateDate,UpdateDate&$filter=UpdateDate eq null", **ALL)
    assert len(never) > 5
    assert all(row["CreateDate"] and row["UpdateDate"] is None for row in never)


def test_numbers_go_out_as_doubles_and_days_with_their_decoration(client):
    text = client.get("PurchaseOrders(801)").text
    assert re.search(r'"DocRate":1\.0[,}]', text)
    assert re.search(r'"DocTotalFc":0\.0[,}]', text)
    assert re.search(r'"DocDate":"\d{4}-\d\d-\d\dT00:00:00Z"', text)
    assert re.search(r'"UpdateTime":"\d\d:\d\d:\d\d"', text)
    assert re.search(r'"DocEntry":801[,}]', text)


def test_every_answer_names_its_context(client):
    root = client.root
    assert client.read("Projects?$top=1")["@odata.context"] == f"{root}/$metadata#Projects"
    assert client.read("Projects('P001')")["@odata.context"] == f"{root}/$metadata#Projects/$entity"
    answer = client.get("Projects?$top=1")
    assert answer.headers["Content-Type"] == "application/json;odata.metadata=minimal;charset=utf-8"
    assert answer.headers["OData-Version"] == "4.0"
    assert answer.headers["Server"].startswith("Apache/")
