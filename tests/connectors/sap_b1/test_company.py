"""Company facts, and which addresses may be a service root (contracts: SAP §1, §2.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.http import OutboundPolicy
from syncengine.connectors.outcomes import Rejected, Unavailable
from syncengine.connectors.sap_b1 import (
    SapB1,
    SapSettings,
    check_base_url,
    read_company_facts,
)
from tests.connectors.sap_b1.conftest import ADMIN
from tests.connectors.servers import json_answer

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


def test_what_lasts_is_not_asked_for_where_it_is_known(client, company):
    known = read_company_facts(client)
    company.on("POST", "CompanyService_GetAdminInfo", json_answer(ADMIN | {"LocalCurrency": "$", "Country": "US"}))
    facts = read_company_facts(client, known)
    assert (facts.name, facts.version, facts.country, facts.tax_field) == ("ACME Oy", "10.00.280", "FI", "VatGroup")
    assert facts.local_currency == "$"
    assert len(company.calls_of("POST", "CompanyService_GetCompanyInfo")) == 1
    assert len(company.calls_of("GET", "VatGroups")) == 1


def test_an_answer_that_is_no_company_is_unexpected(client, company):
    company.on("POST", "CompanyService_GetAdminInfo", json_answer([Decimal(1)]))
    with pytest.raises(Unavailable) as fault:
        read_company_facts(client)
    assert fault.value.code == "unexpected_answer"


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
