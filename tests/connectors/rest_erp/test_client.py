"""The client of the REST ERP against its sandbox, and against answers that no ERP should give."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Throttled, Unauthenticated, Unavailable
from syncengine.connectors.rest_erp import RestErp, RestErpSettings, checks
from syncengine.connectors.rest_erp.settings import MARK
from syncengine.connectors.sap_b1 import read_company_facts
from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.rest_erp.server import RestErpSandbox
from tests.connectors.servers import html_answer, json_answer

BODY = {
    "CardCode": "V10000",
    "NumAtCard": "INV-1",
    "TaxDate": "2026-11-20",
    "DocDate": "2026-11-21",
    "DocCurrency": "EUR",
    "PaymentBlock": "tYES",
    MARK: "abc-1",
    "DocumentLines": [{"VatGroup": "V255", "LineTotal": Decimal("100.10")}],
}


@pytest.fixture
def sandbox():
    server = RestErpSandbox(Dataset())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(sandbox, make_transport):
    settings = RestErpSettings(sandbox.base_url, sandbox.company, sandbox.api_key)
    return RestErp(settings, make_transport(secrets=[sandbox.api_key]))


@pytest.fixture
def told(serve, make_transport):
    """A client of an ERP that answers everything alike."""
    return lambda answer: RestErp(RestErpSettings(serve(answer).url, "X", "key-of-the-tests"), make_transport())


def body_of(sandbox, **changed):
    tax = next(iter(sandbox.resources["tax-codes"]))
    return {**BODY, "DocumentLines": [{"VatGroup": tax, "LineTotal": Decimal("100.10")}], **changed}


def test_all_pages_come_in_key_order(client, sandbox):
    pages = list(client.pages("BusinessPartners", key="CardCode", select=("CardName",), page_size=50))
    assert len(pages) > 2
    codes = [row["CardCode"] for rows in pages for row in rows]
    assert codes == sorted(sandbox.resources["vendors"])


def test_reading_goes_on_behind_a_key(client):
    whole = [row["CardCode"] for rows in client.pages("BusinessPartners", key="CardCode", select=()) for row in rows]
    rest = client.pages("BusinessPartners", key="CardCode", select=(), after=whole[5])
    assert [row["CardCode"] for rows in rest for row in rows] == whole[6:]


def test_records_are_had_by_their_keys_in_several_calls(client, sandbox):
    codes = sorted(sandbox.resources["vendors"])[:70]
    found = client.by_keys("BusinessPartners", "CardCode", [*codes, "none"], ["CardName"])
    assert sorted(row["CardCode"] for row in found) == codes
    assert set(found[0]) == {"CardCode", "CardName"}


def test_one_record_by_its_key_and_none_where_there_is_none(client):
    assert client.by_key("BusinessPartners", "V10000", ["CardCode"]) == {"CardCode": "V10000"}
    assert client.by_key("BusinessPartners", "none") is None
    assert client.by_key("Drafts", 1) is None


def test_an_entity_set_that_the_erp_has_nothing_like_is_empty(client):
    assert list(client.pages("Projects", key="Code", select=())) == []
    assert client.find("Drafts", where="DocEntry eq 1", select=("DocEntry",)) == []
    assert client.by_keys("PurchaseDownPayments", "CardCode", ["V1"], ["DocEntry"]) == []


def test_the_facts_of_the_company_are_read_in_the_same_way_as_saps(client):
    facts = read_company_facts(client)
    assert (facts.country, facts.local_currency, facts.tax_field) == ("FI", "EUR", "VatGroup")
    assert not facts.branches
    assert not facts.approval


def test_an_invoice_is_made_and_read_back_to_the_cent(client, sandbox):
    made = client.create("PurchaseInvoices", body_of(sandbox))
    again = client.by_key("PurchaseInvoices", made.key)
    assert (again["NumAtCard"], again[MARK], again["PaymentBlock"]) == ("INV-1", "abc-1", "tYES")
    assert again["DocumentLines"][0]["LineTotal"] == Decimal("100.10")
    assert b'"net":100.10' in sandbox.requests.log()[0]["body"].encode()


def test_the_same_invoice_sent_twice_is_one(client, sandbox):
    first, second = (client.create("PurchaseInvoices", body_of(sandbox)) for _ in range(2))
    assert first.key == second.key
    assert len(sandbox.resources["invoices"]) == 1


def test_the_payment_block_is_all_that_changes(client, sandbox):
    entry = client.create("PurchaseInvoices", body_of(sandbox)).key
    client.update("PurchaseInvoices", entry, {"PaymentBlock": "tNO"})
    assert sandbox.resources["invoices"][entry]["payment_blocked"] is False
    with pytest.raises(Rejected):
        client.update("PurchaseInvoices", entry, {"Comments": "x"})


def test_what_the_erp_does_not_take_is_refused_without_a_call(client, sandbox):
    with pytest.raises(Rejected):
        client.create("PurchaseCreditNotes", BODY)
    with pytest.raises(Rejected):
        client.upload("scan.pdf", b"%PDF")
    with pytest.raises(Rejected):
        client.service("CompanyService_GetFinancePeriods")
    assert sandbox.requests.log() == []


def test_the_erps_own_words_come_with_a_refusal(client, sandbox):
    with pytest.raises(Rejected) as fault:
        client.create("PurchaseInvoices", body_of(sandbox, CardCode="nobody"))
    assert "vendor nobody is unknown" in fault.value.message


READ = [
    (json_answer({"message": "bad key"}, 401), Unauthenticated),
    (json_answer({"message": "no"}, 403), Rejected),
    (json_answer({}, 429), Throttled),
    (json_answer({}, 500), Unavailable),
    (json_answer([]), Unavailable),
    (html_answer(200, "Welcome"), Unavailable),
    (html_answer(302, "Moved"), Unavailable),
]
WRITTEN = [
    (json_answer({"message": "bad key"}, 401), Unauthenticated),
    (json_answer({"message": "no"}, 422), Rejected),
    (json_answer({}, 500), OutcomeUnknown),
    (json_answer({}, 503), Unavailable),
    (html_answer(200, "Welcome"), OutcomeUnknown),
    (html_answer(302, "Moved"), Unavailable),
]


@pytest.mark.parametrize(("answer", "outcome"), READ)
def test_each_answer_to_a_read_has_its_outcome(told, answer, outcome):
    with pytest.raises(outcome):
        told(answer).company()


@pytest.mark.parametrize(("answer", "outcome"), WRITTEN)
def test_each_answer_to_a_write_has_its_outcome(told, answer, outcome):
    with pytest.raises(outcome):
        told(answer).create("PurchaseInvoices", BODY)


def test_a_page_that_comes_again_and_again_ends(told):
    again = told(json_answer({"items": [], "next_cursor": "7"}))
    with pytest.raises(Unavailable) as fault:
        list(again.pages("BusinessPartners", key="CardCode", select=()))
    assert fault.value.code == "paging_loop"


def test_the_key_is_neither_shown_nor_kept(client, observed, sandbox):
    client.company()
    assert sandbox.api_key not in repr(client.settings)
    assert sandbox.api_key not in repr(observed)


def test_ping_stops_at_a_key_that_is_refused(client, sandbox):
    sandbox.api_key = "another"
    (only,) = checks(client, reads=("BusinessPartners",))
    assert (only.name, only.ok, only.login_refused) == ("login", False, True)


def test_ping_says_when_the_key_may_not_add_invoices(client, sandbox):
    sandbox.rights = []
    found = {check.name: check.ok for check in checks(client, reads=("BusinessPartners", "Projects"))}
    assert found == {"login": True, "version": True, "read:vendors": True, "write:invoices": False}
