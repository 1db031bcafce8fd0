"""The services beside the sets, and user fields (contracts: SAP §1, §2.2, §8.2, §8.4, §11 point 12)."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from syncengine.sandbox.sap_b1.calculation import due_date
from tests.sandbox.sap_b1.conftest import error_of

INFO, ADMIN, PATHS = (f"CompanyService_Get{name}" for name in ("CompanyInfo", "AdminInfo", "PathAdmin"))
RATE, DUE = "SBOBobService_GetCurrencyRate", "SBOBobService_GetDueDate"


@pytest.mark.parametrize("name", [INFO, ADMIN, PATHS])
def test_company_data_is_asked_with_either_method_and_is_flat(client, name):
    got, posted = client.call("GET", name), client.call("POST", name)
    assert got.status_code == posted.status_code == 200
    assert got.json() == posted.json()
    assert got.json()["@odata.context"].endswith(f"$metadata#{name}")
    assert not any(isinstance(value, (dict, list)) for value in got.json().values())


def test_the_company_introduces_itself(client):
    info = client.read(INFO)
    assert {"CompanyName", "Version", "Localization", "EnableTransactionNotification"} <= set(info)
    assert info["Localization"] == "FI"
    admin = client.read(ADMIN)
    fields = ("LocalCurrency", "SystemCurrency", "Country", "RoundingMethod", "BlockPostingDateEditing")
    assert set(fields) <= set(admin)
    assert (admin["LocalCurrency"], admin["TotalsAccuracy"]) == ("EUR", 2)


@pytest.mark.parametrize(
    ("setting", "field"),
    [("branches", "EnableBranches"), ("approval_mode", "EnableApprovalProcedureInDI")],
)
def test_switches_are_seen_in_the_admin_info(client, sap, setting, field):
    assert client.read(ADMIN)[field] == "tNO"
    sap.company.change_settings(**{setting: True})
    assert client.read(ADMIN)[field] == "tYES"


def periods(client, category):
    body = {"PeriodCategoryParams": {"AbsoluteEntry": category}}
    return client.post("CompanyService_GetFinancePeriods", body).json()["value"]


def test_periods_follow_one_another_without_a_gap(client, today):
    months = [period for category in (1, 2, 3) for period in periods(client, category)]
    assert len(months) == 36
    for before, after in pairwise(months):
        end, start = date.fromisoformat(before["PostingDateTo"][:10]), date.fromisoformat(after["PostingDateFrom"][:10])
        assert end + timedelta(days=1) == start
    assert months[0]["PostingDateFrom"] == f"{today.year - 1}-01-01T00:00:00Z"
    windows = ("PostingDate", "ValueDate", "TaxDate")
    assert all(f"{name}{end}" in months[0] for name in windows for end in ("From", "To"))


def test_old_periods_are_locked_and_the_present_one_is_open(client, today):
    months = [period for category in (1, 2, 3) for period in periods(client, category)]
    now = today.isoformat()
    for period in months:
        if period["PostingDateFrom"][:10] <= now <= period["PostingDateTo"][:10]:
            assert period["PeriodStatus"] == "ltUnlocked"
    statuses = [period["PeriodStatus"] for period in months]
    assert statuses[0] == "ltLocked"
    assert statuses == sorted(statuses), "locked ones lie before the open ones"


def test_the_categories_lead_to_the_periods(client):
    for category in client.read("CompanyService_GetPeriods")["value"]:
        found = periods(client, category["AbsoluteEntry"])
        assert {period["PeriodIndicator"] for period in found} == {category["PeriodCategory"]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "-1000")),
        ({"PeriodCategoryParams": 1}, (400, "-1000")),
        ({"PeriodCategoryParams": {"AbsoluteEntry": "x"}}, (400, "-1000")),
        ({"PeriodCategoryParams": {"AbsoluteEntry": 9}}, (404, "-2028")),
    ],
)
def test_periods_are_asked_by_their_category(client, body, expected):
    assert error_of(client.post("CompanyService_GetFinancePeriods", body))[:2] == expected


@pytest.mark.parametrize(
    ("currency", "rate"), [("$", 0.92), ("SKR", 0.0875), ("GBP", 1.17), ("NKR", 0.0855), ("EUR", 1)]
)
def test_rates_are_told_for_the_companys_codes(client, today, currency, rate):
    for day in (today.strftime("%Y%m%d"), today.isoformat()):
        assert client.post(RATE, {"Currency": currency, "Date": day}).json()["value"] == rate


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"Currency": "USD", "Date": "20260504"}, "-5002", "Enter valid code"),
        ({"Currency": "$", "Date": "20010101"}, "-5002", "Update the exchange rate  , '$'"),
        ({"Currency": "$"}, "-1000", "Date"),
        ({"Currency": "$", "Date": "yesterday"}, "-1000", "Date"),
        ({"Currency": "$", "Date": "20260231"}, "-1000", "Date"),
        ({"Currency": 1, "Date": "20260504"}, "-1000", "Currency"),
        ({}, "-1000", ""),
    ],
)
def test_rates_that_cannot_be_told(client, body, code, words):
    status, got, text = error_of(client.post(RATE, body))
    assert (status, got) == (400, code)
    assert words in text


def test_a_rate_that_was_set_holds_for_its_day_only(client, today):
    days = [(today - timedelta(days=back)).strftime("%Y%m%d") for back in (0, 1)]
    answer = client.post("SBOBobService_SetCurrencyRate", {"Currency": "$", "Rate": 0.9, "RateDate": days[1]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert [client.post(RATE, {"Currency": "$", "Date": day}).json()["value"] for day in days] == [0.92, 0.9]


@pytest.mark.parametrize(
    "changed",
    [{"Rate": None}, {"Rate": "much"}, {"Rate": []}, {"RateDate": None}, {"RateDate": "soon"}, {"Currency": None}],
)
def test_a_rate_is_set_with_all_three_values(client, changed):
    body = {"Currency": "$", "Rate": 0.9, "RateDate": "20260504"} | changed
    assert error_of(client.post("SBOBobService_SetCurrencyRate", body))[:2] == (400, "-1000")


@pytest.mark.parametrize("vendor", ["V10000", "V10004", "V10005", "V10006", "V10007", "V10009", "V10013"])
def test_the_due_date_is_the_one_that_a_posting_gets(client, sap, service_invoice, vendor):
    day = sap.company.today
    told = client.post(DUE, {"CardCode": vendor, "RefDate": day.replace("-", "")}).json()["value"]
    partner = sap.company.collection("BusinessPartners")[vendor]
    term = sap.company.collection("PaymentTermsTypes")[partner["PayTermsGrpCode"]]
    assert told == f"{due_date(term, day)}T00:00:00Z"
    assert client.post("PurchaseInvoices", service_invoice | {"CardCode": vendor}).json()["DocDueDate"] == told


def test_the_due_date_of_v1_is_bare(v1):
    answer = v1.post(DUE, {"CardCode": "V10000", "RefDate": "20260504"}).json()
    assert answer["value"] == "2026-06-03"
    assert answer["odata.metadata"].endswith(DUE)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"CardCode": "V10000"}, "-1000"),
        ({"CardCode": "V10000", "RefDate": "x"}, "-1000"),
        ({"RefDate": "20260504"}, "-1000"),
        ({"CardCode": "NOPE", "RefDate": "20260504"}, "-5002"),
    ],
)
def test_a_due_date_needs_a_vendor_and_a_day(client, body, code):
    assert error_of(client.post(DUE, body))[:2] == (400, code)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("GET", RATE),
        ("GET", DUE),
        ("GET", "DraftsService_SaveDraftToDocument"),
        ("POST", "CompanyService_GetPeriods"),
        ("DELETE", INFO),
        ("GET", "companyservice_getcompanyinfo"),
        ("POST", "SBOBobService_Nothing"),
    ],
)
def test_services_have_their_method_and_their_exact_name(client, method, name):
    assert error_of(client.call(method, name)) == (400, "-1002", "Service Not Found")


def test_user_fields_are_listed_without_their_prefix(client):
    (field,) = client.rows("UserFieldsMD?$filter=TableName eq 'OPCH'")
    assert (field["Name"], field["Type"], field["Size"]) == ("BW_InvoiceId", "db_Alpha", 50)
    assert client.rows("UserFieldsMD?$filter=TableName eq 'OCRD'") == []


def test_a_field_on_one_marketing_document_is_on_all_of_them(client, service_invoice):
    made = client.post("UserFieldsMD", {"TableName": "OPCH", "Name": "Extra", "Type": "db_Alpha", "Size": 20})
    assert made.status_code == 201
    sets = ("PurchaseInvoices", "PurchaseCreditNotes", "PurchaseOrders", "PurchaseDeliveryNotes", "Drafts")
    for name in sets:
        assert client.get(f"{name}?$filter=U_Extra eq 'x'").ok, name
    assert error_of(client.get("BusinessPartners?$filter=U_Extra eq 'x'"))[1] == "201"
    posted = client.post("PurchaseInvoices", service_invoice | {"U_Extra": "value"}).json()
    assert client.read(f"PurchaseInvoices({posted['DocEntry']})")["U_Extra"] == "value"


def test_a_field_of_partners_is_on_partners_only(client, service_invoice):
    client.post("UserFieldsMD", {"TableName": "OCRD", "Name": "Region", "Type": "db_Alpha"})
    assert client.call("PATCH", "BusinessPartners('V10000')", {"U_Region": "north"}).status_code == 204
    assert client.rows("BusinessPartners?$select=CardCode&$filter=U_Region eq 'north'")[0]["CardCode"] == "V10000"
    refused = error_of(client.post("PurchaseInvoices", service_invoice | {"U_Region": "x"}))
    assert refused == (400, "-1000", "Property 'U_Region' of 'Document' is invalid")
