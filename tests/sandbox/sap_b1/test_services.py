"""Services and attachments (contracts: SAP §2.2, §8.7, §11 points 12 and 13)."""

from __future__ import annotations

import pytest
import requests

from syncengine.sandbox.sap_b1.calculation import due_date, exchange_rate
from tests.sandbox.sap_b1.conftest import error_of


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_company_info_answers_to_get_and_post(client, method):
    body = client.call(method, "CompanyService_GetCompanyInfo").json()
    assert (body["CompanyName"], body["Version"]) == ("Nordic Industrial Supply Oy", 1000280)
    admin = client.call(method, "CompanyService_GetAdminInfo").json()
    assert (admin["LocalCurrency"], admin["TotalsAccuracy"], admin["EnableBranches"]) == ("EUR", 2, "tNO")
    assert client.call(method, "CompanyService_GetPathAdmin").json()["AttachmentsFolderPath"]


def test_periods_come_with_their_windows_and_status(client, v1):
    body = {"PeriodCategoryParams": {"AbsoluteEntry": 1}}
    periods = client.post("CompanyService_GetFinancePeriods", body).json()["value"]
    assert len(periods) == 12
    assert periods[0]["PeriodStatus"] == "ltLocked"
    assert periods[0]["PostingDateFrom"].endswith("-01-01T00:00:00Z")
    assert len(v1.post("CompanyService_GetFinancePeriods", body).json()["value"][0]["PostingDateFrom"]) == 10
    categories = client.read("CompanyService_GetPeriods")["value"]
    years = [str(client.sap.company.dataset.today.year + offset) for offset in (-1, 0, 1)]
    assert [category["PeriodCategory"] for category in categories] == years
    unknown = {"PeriodCategoryParams": {"AbsoluteEntry": 4}}
    assert error_of(client.post("CompanyService_GetFinancePeriods", unknown))[:2] == (404, "-2028")
    assert error_of(client.post("CompanyService_GetFinancePeriods", {}))[1] == "-1000"


def test_the_server_tells_its_time(client):
    assert client.read("CompanyService_GetCurrentServerTime")["value"].startswith(client.sap.company.today)


def test_rates_are_asked_and_set(client, today):
    day = today.strftime("%Y%m%d")
    ask = {"Currency": "$", "Date": day}
    assert client.post("SBOBobService_GetCurrencyRate", ask).json()["value"] == 0.92
    assert (
        client.post("SBOBobService_SetCurrencyRate", {"Currency": "$", "Rate": "0.95", "RateDate": day}).status_code
        == 204
    )
    assert client.post("SBOBobService_GetCurrencyRate", ask).json()["value"] == 0.95
    far = client.post("SBOBobService_GetCurrencyRate", ask | {"Date": "20010101"})
    assert error_of(far)[2] == "Update the exchange rate  , '$'"
    assert (
        error_of(client.post("SBOBobService_SetCurrencyRate", {"Currency": "?", "Rate": 1, "RateDate": day}))[1]
        == "-5002"
    )
    assert error_of(client.post("SBOBobService_GetCurrencyRate", {}))[1] == "-1000"


def test_local_and_system_currency(client):
    for name in ("Local", "System"):
        assert client.post(f"SBOBobService_Get{name}Currency").json()["value"] == "EUR"


def test_the_due_date_is_derived_from_the_vendors_term(client):
    body = {"CardCode": "V10000", "RefDate": "20260504"}
    assert client.post("SBOBobService_GetDueDate", body).json()["value"] == "2026-06-03T00:00:00Z"
    assert error_of(client.post("SBOBobService_GetDueDate", body | {"CardCode": "NOPE"}))[1] == "-5002"


@pytest.mark.parametrize(
    ("start", "months", "days", "expected"),
    [
        ("pdt_None", 0, 30, "2026-03-02"),
        ("pdt_None", 1, 0, "2026-02-28"),
        ("pdt_MonthEnd", 0, 0, "2026-01-31"),
        ("pdt_MonthEnd", 1, 10, "2026-03-10"),
        ("pdt_MonthStart", 0, 14, "2026-02-15"),
        ("pdt_HalfMonth", 0, 0, "2026-01-31"),
        ("pdt_HalfMonth", 1, 0, "2026-02-28"),
    ],
)
def test_due_dates_by_rule(start, months, days, expected):
    term = {"StartFrom": start, "NumberOfAdditionalMonths": months, "NumberOfAdditionalDays": days}
    assert due_date(term, "2026-01-31") == expected


def test_half_month_before_the_15th_is_the_15th():
    assert due_date({"StartFrom": "pdt_HalfMonth"}, "2026-01-10") == "2026-01-15"


def test_a_rate_of_a_day_goes_before_the_table():
    currency = {"Rate": 2, "RatesFrom": "2026-01-01", "RatesTo": "2026-12-31", "Rates": {"2026-05-04": 3}}
    assert [exchange_rate(currency, day) for day in ("2026-05-03", "2026-05-04", "2027-01-01")] == [2, 3, None]


def test_services_are_called_by_their_method(client):
    assert error_of(client.get("SBOBobService_GetLocalCurrency"))[1] == "-1002"


def upload(client, name="8f2c_invoice.pdf", content=b"%PDF \x00\xff", part="files", method="POST", path="Attachments2"):
    headers = {"Cookie": f"B1SESSION={client.session}"}
    files = {part: (name, content)}
    return requests.request(method, f"{client.root}/{path}", files=files, headers=headers, timeout=5)


def test_an_attachment_is_uploaded_appended_and_downloaded(client):
    made = upload(client)
    entry = made.json()["AbsoluteEntry"]
    line = made.json()["Attachments2_Lines"][0]
    assert made.status_code == 201
    assert (line["FileName"], line["FileExtension"], line["LineNum"]) == ("8f2c_invoice", "pdf", 1)
    assert upload(client, "more.txt", b"more", method="PATCH", path=f"Attachments2({entry})").status_code == 204
    assert len(client.read(f"Attachments2({entry})")["Attachments2_Lines"]) == 2
    assert client.get(f"Attachments2({entry})/$value?filename='8f2c_invoice.pdf'").content == b"%PDF \x00\xff"
    assert client.get(f"Attachments2({entry})/$value?filename='more.txt'").content == b"more"
    assert error_of(client.get(f"Attachments2({entry})/$value?filename='other.txt'"))[:2] == (404, "-2028")
    assert error_of(client.get(f"Attachments2({entry})/$other"))[1] == "-1002"


def test_attachments_cannot_be_removed(client):
    entry = upload(client).json()["AbsoluteEntry"]
    assert error_of(client.call("DELETE", f"Attachments2({entry})"))[1:] == (
        "220",
        "Attachments2 is not allowed to remove",
    )


@pytest.mark.parametrize("given", [{"part": "file"}, {"name": "noextension"}])
def test_parts_must_be_files_with_names_and_extensions(client, given):
    assert error_of(upload(client, **given))[1] == "-1000"


def test_json_is_no_upload(client):
    assert error_of(client.post("Attachments2", {"Attachments2_Lines": []}))[1] == "-1000"


def test_a_missing_folder_is_the_servers_own_trouble(client, sap):
    sap.company.change_settings(attachments_folder="")
    status, code, text = error_of(upload(client))
    assert (status, code) == (400, "-5002")
    assert text.startswith("The attachments folder is not defined")
