"""Company facts, and the lines of the ping page with their sentences and hints (contracts: SAP §2.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.http import OutboundPolicy
from syncengine.connectors.outcomes import Rejected, Unavailable
from syncengine.connectors.sap_b1 import (
    MemorySessionStore,
    SapB1,
    SapSettings,
    check_base_url,
    checks,
    read_company_facts,
)
from tests.connectors.servers import html_answer, http_answer, json_answer

COMPANY = {"CompanyName": "ACME Oy", "Version": 1000280, "Localization": "lf_Finland"}
ADMIN = {
    "LocalCurrency": "EUR",
    "SystemCurrency": "USD",
    "Country": "FI",
    "EnableBranches": "tNO",
    "EnableApprovalProcedureInDI": "tNO",
    "TotalsAccuracy": 2,
    "PriceAccuracy": 6,
}
CURRENCIES = [
    {"Code": "$", "DocumentsCode": "USD", "Decimals": "cdDefault"},
    {"Code": "EUR", "DocumentsCode": "EUR", "Decimals": "cd2Digits"},
    {"Code": "EU2", "DocumentsCode": "EUR", "Decimals": None},
    {"Code": "JPY", "DocumentsCode": "JPY", "Decimals": "cdWithoutDecimals"},
    {"Code": "QTZ", "DocumentsCode": "", "Decimals": "cd3Digits"},
]


@pytest.fixture
def company(sap):
    sap.on("POST", "CompanyService_GetCompanyInfo", json_answer(COMPANY))
    sap.on("POST", "CompanyService_GetAdminInfo", json_answer(ADMIN))
    sap.on("GET", "Currencies", sap.collection(CURRENCIES))
    sap.on("GET", "VatGroups", sap.collection([{"Code": "I255"}]))
    sap.on("GET", "BusinessPartners", sap.collection([{"CardCode": "V1"}]))
    sap.on("GET", "PurchaseInvoices", sap.collection([]))
    return sap


# --- facts


def test_the_facts_of_a_company(client, company):
    facts = read_company_facts(client)
    assert (facts.name, facts.version, facts.country) == ("ACME Oy", "10.00.280", "FI")
    assert (facts.local_currency, facts.system_currency) == ("EUR", "USD")
    assert (facts.branches, facts.approval) == (False, False)
    assert (facts.price_decimals, facts.total_decimals, facts.tax_field) == (6, 2, "VatGroup")


def test_branches_and_approval_are_noticed(client, company):
    admin = ADMIN | {"EnableBranches": "tYES", "EnableApprovalProcedureInDI": "tYES", "PriceAccuracy": None}
    company.on("POST", "CompanyService_GetAdminInfo", json_answer(admin))
    facts = read_company_facts(client)
    assert (facts.branches, facts.approval, facts.price_decimals) == (True, True, 2)


def test_currencies_go_both_ways(client, company):
    facts = read_company_facts(client)
    assert [facts.iso(code) for code in ("$", "EUR", "QTZ", "GBP", "##", "", None)] == [
        "USD", "EUR", "QTZ", "GBP", None, None, None,
    ]  # fmt: skip
    assert [facts.code(iso) for iso in ("USD", "EUR", "QTZ", "GBP")] == ["$", "EUR", "QTZ", None]
    assert [facts.decimals(code) for code in ("$", "EUR", "JPY", "QTZ", "GBP")] == [2, 2, 0, 3, 2]


def test_a_company_without_input_vat_groups_works_with_tax_codes(client, company):
    company.on("GET", "VatGroups", company.collection([]))
    assert read_company_facts(client).tax_field == "TaxCode"
    assert company.calls_of("GET", "VatGroups")[0].query["$filter"] == "Category eq 'bovcInputTax'"


def test_a_tax_field_that_is_set_is_not_asked_for(make_client, company):
    assert read_company_facts(make_client(tax_field="TaxCode")).tax_field == "TaxCode"
    assert not company.calls_of("GET", "VatGroups")


def test_an_answer_that_is_no_company_is_unexpected(client, company):
    company.on("POST", "CompanyService_GetAdminInfo", json_answer([Decimal(1)]))
    with pytest.raises(Unavailable) as fault:
        read_company_facts(client)
    assert fault.value.code == "unexpected_answer"


# --- ping


def ping(client, reads=("BusinessPartners", "VatGroups"), writes=("PurchaseInvoices",)):
    return {check.name: check for check in checks(client, reads=reads, writes=writes)}


def test_a_good_connection_is_well_in_every_line(client, company):
    lines = ping(client)
    assert list(lines) == [
        "reach",
        "login",
        "version",
        "read:BusinessPartners",
        "read:VatGroups",
        "write:PurchaseInvoices",
    ]
    assert all(line.ok and line.detail and not line.hint and line.latency_ms >= 0 for line in lines.values())
    assert lines["version"].detail == "ACME Oy, SAP Business One 10.00.280"
    assert "30 minutes" in lines["login"].detail


def test_lines_come_as_they_are_done(client, company):
    lines = checks(client, reads=["BusinessPartners"])
    assert next(lines).name == "reach"
    assert not company.logins
    assert next(lines).name == "login"
    assert not company.calls_of("GET", "BusinessPartners")


def test_a_ping_reads_one_row_of_each_entity_and_writes_nothing(client, company):
    ping(client)
    reads = [call for call in company.calls if call.method == "GET"]
    assert all(call.query["$top"] == "1" and call.query["$select"] for call in reads)
    posts = {call.path.rsplit("/", 1)[1] for call in company.calls if call.method != "GET"}
    assert posts == {"CompanyService_GetCompanyInfo", "CompanyService_GetAdminInfo", "Logout"}


def test_a_ping_has_a_session_of_its_own_and_ends_it(make_client, company):
    store = MemorySessionStore()
    client = make_client(sessions=store)
    shared = client.login()
    ping(client)
    assert store.load() == shared
    assert company.live == {shared.b1session}


def test_a_ping_that_is_left_early_still_logs_out(client, company):
    lines = checks(client, reads=["BusinessPartners"])
    for _ in range(3):
        next(lines)
    lines.close()
    assert not company.live


def test_ping_that_is_not_published_is_no_outage(client, company, monkeypatch):
    monkeypatch.setattr(company, "_outside", lambda _: html_answer(404, "Not Found"))
    assert ping(client)["reach"].ok


def test_a_proxy_without_service_layer_behind_it_is(client, company, monkeypatch):
    monkeypatch.setattr(company, "_outside", lambda _: html_answer(503, "Service Unavailable"))
    lines = ping(client)
    assert list(lines) == ["reach"]
    assert "503" in lines["reach"].detail
    assert lines["reach"].hint


def test_a_wrong_password_stops_after_one_login(client, company):
    company.login_scripts = [company.error(401, -304, "Fail to NONE-SSO login from SLD.")] * 2
    lines = ping(client)
    assert list(lines) == ["reach", "login"]
    assert "basware_if" in lines["login"].detail
    assert "password" in lines["login"].hint
    assert len(company.logins) == 1


WRONG_LOGINS = {
    "password": lambda sap: sap.error(401, -304, "Fail to NONE-SSO login from SLD."),
    "company": lambda sap: sap.error(401, -306, "Fail to NONE-SSO login from SLD."),
    "path case": lambda sap: sap.session_lost(),
    "web page": lambda _: html_answer(200, "Welcome"),
    "not found": lambda _: html_answer(404, "Not Found"),
    "proxy": lambda _: html_answer(502, "Proxy Error"),
    "nothing": lambda _: http_answer(500),
    "licence": lambda sap: sap.error(500, -5027, "Switch company error: -5027"),
    "hang-up": lambda _: lambda _: None,
}


def test_each_mistake_has_a_sentence_of_its_own(make_client, company):
    sentences = set()
    for wrong in WRONG_LOGINS.values():
        company.login_scripts = [wrong(company)]
        line = ping(make_client())["login"]
        assert not line.ok
        assert line.hint
        sentences.add(line.detail)
    assert len(sentences) == len(WRONG_LOGINS)


def test_what_cannot_be_reached_says_why(make_client, serve, make_transport, certificates):
    context, _ = certificates.make()
    closed, secret = serve(http_answer(200)), serve(http_answer(200), tls=context)
    closed.close()
    roots = {
        "refused": f"{closed.url}/b1s/v2",
        "cannot be found": "https://nosuchname.invalid/b1s/v2",
        "not trusted": f"{secret.url}/b1s/v2",
        "No secure connection": f"https://127.0.0.1:{serve(http_answer(400)).port}/b1s/v2",
        "not call": "https://10.0.0.5/b1s/v2",
        "not allowed": "http://8.8.8.8/b1s/v2",
    }
    for words, root in roots.items():
        (line,) = checks(make_client(base_url=root), reads=[])
        assert (line.name, line.ok) == ("reach", False)
        assert words in line.detail
        assert line.hint


def test_an_entity_that_may_not_be_read_is_one_bad_line_among_good_ones(client, company):
    company.on("GET", "BusinessPartners", company.error(400, -6006, "You are not permitted to perform this action"))
    lines = ping(client)
    assert [name for name, line in lines.items() if not line.ok] == ["read:BusinessPartners"]
    assert "authorisation" in lines["read:BusinessPartners"].hint


def test_a_missing_user_defined_field_shows_before_the_first_posting(make_client, company):
    company.on("GET", "PurchaseInvoices", company.error(400, 201, "Property 'U_BW_InvoiceId' is invalid"))
    client = make_client(user_defined_id_field="U_BW_InvoiceId")
    line = ping(client)["write:PurchaseInvoices"]
    assert not line.ok
    assert "U_BW_InvoiceId" in line.detail
    assert "U_BW_InvoiceId" in company.calls_of("GET", "PurchaseInvoices")[0].query["$select"]


def test_approval_procedures_are_warned_of(client, company):
    company.on("POST", "CompanyService_GetAdminInfo", json_answer(ADMIN | {"EnableApprovalProcedureInDI": "tYES"}))
    line = ping(client)["write:PurchaseInvoices"]
    assert line.ok
    assert "drafts" in line.hint


def test_admin_info_that_may_not_be_read_is_no_obstacle(client, company):
    company.on("POST", "CompanyService_GetAdminInfo", company.error(400, -6006, "not permitted"))
    assert ping(client)["write:PurchaseInvoices"].ok


def test_the_ping_address_lies_outside_the_service_root():
    settings = SapSettings("https://api.example.com:8443/ServiceLayer/b1s/v2/", "DB", "u", "p")
    assert settings.ping_url == "https://api.example.com:8443/ping/"
    assert settings.root == "https://api.example.com:8443/ServiceLayer/b1s/v2"


# --- settings


@pytest.mark.parametrize(
    "url", ["https://sap.example.com:50000/b1s/v2", "https://x.example/SL/b1s/v1/", "https://x.example/B1S/V2"]
)
def test_service_roots_pass(url):
    check_base_url(url, OutboundPolicy())


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://sap.example.com:50000", "url_invalid"),
        ("https://sap.example.com:50000/b1s/v2/Login", "url_invalid"),
        ("https://sap.example.com:50000/b1s/v3", "url_invalid"),
        ("https://sap.example.com:50000/b1s/v2?x=1", "url_invalid"),
        ("https://sap.example.com:50000/?x=/b1s/v2", "url_invalid"),
        ("sap.example.com/b1s/v2", "url_invalid"),
        ("https://10.0.0.1/b1s/v2", "outbound_blocked"),
        ("http://sap.example.com/b1s/v2", "outbound_blocked"),
    ],
)
def test_other_urls_are_refused_at_save_time(url, code):
    with pytest.raises(Rejected) as fault:
        check_base_url(url, OutboundPolicy())
    assert fault.value.code == code


def test_the_version_follows_the_path():
    assert SapSettings("https://x/b1s/v1/", "", "", "").is_v1
    assert not SapSettings("https://x/b1s/v2", "", "", "").is_v1


def test_settings_and_client_show_no_password():
    settings = SapSettings("https://x/b1s/v2", "DB", "user", "hush-hush")
    assert "hush-hush" not in f"{settings!r} {SapB1(settings, None)!r}"
