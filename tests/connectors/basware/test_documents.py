"""Finding, claiming and answering invoices (contracts: Basware §14)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Unavailable

from .conftest import REQUEST_ID, Said, recorded

DOCUMENTS = "/v1/accountingDocuments"


def test_the_status_parameter_is_written_with_a_capital_p_and_the_company_is_the_connection_s(api, basware):
    api.on("GET", DOCUMENTS, Said(200, {"accountingDocuments": [{"invoiceId": "i"}]}))
    assert list(basware.documents(processing_status="WaitingForTransfer")) == [[{"invoiceId": "i"}]]
    query = api.requests("GET", DOCUMENTS)[0].query
    assert query == [("ProcessingStatus", "WaitingForTransfer"), ("pageSize", "100"), ("companyCode", "NORD01")]


def test_all_companies_and_statuses_can_be_asked_for(api, basware):
    api.on("GET", DOCUMENTS, Said(404))
    assert list(basware.documents(company_code="", page_size=5)) == []
    assert api.requests("GET", DOCUMENTS)[0].query == [("pageSize", "5"), ("companyCode", "")]


def test_an_empty_wrapper_by_id_is_no_document(api, basware):
    api.on("GET", f"{DOCUMENTS}/i", Said(200, {"accountingDocuments": []}))
    assert basware.document("i") is None


def test_a_document_is_claimed_by_an_acknowledge_without_body(api, basware):
    api.on("POST", f"{DOCUMENTS}/i%2F1/acknowledge", Said(200, b"Acknowledged"))
    assert basware.acknowledge("i/1") is True
    (asked,) = api.requests("POST", f"{DOCUMENTS}/i%2F1/acknowledge")
    assert asked.body == b""
    assert asked.headers["Content-Length"] == "0"


@pytest.mark.parametrize("body", [b"", recorded("sync_errors")["acknowledgeTwice405"]])
def test_405_on_acknowledge_means_acknowledged_before(api, basware, body):
    api.on("POST", f"{DOCUMENTS}/i/acknowledge", Said(405, body))
    assert basware.acknowledge("i") is False


@pytest.mark.parametrize(
    "body", [b"Already acknowledged", b'"Already acknowledged"', b'{"message": "Method Not Allowed"}']
)
def test_405_may_say_it_in_plain_words_and_without_a_request_id(api, basware, body):
    api.on("POST", f"{DOCUMENTS}/i/acknowledge", Said(405, body, request_id=None))
    assert basware.acknowledge("i") is False


def test_a_405_page_of_a_proxy_is_no_claim_of_anybody(api, basware):
    api.on("POST", f"{DOCUMENTS}/i/acknowledge", Said(405, b"<html>405 Not Allowed</html>", request_id=None))
    with pytest.raises(Unavailable):
        basware.acknowledge("i")


@pytest.mark.parametrize("said", [Said(200, b""), Said(204, b""), Said(200, b'"Ok"'), Said(202, b"Acknowledged")])
def test_every_2xx_to_an_acknowledge_is_a_claim(api, basware, said):
    api.on("POST", f"{DOCUMENTS}/i/acknowledge", said)
    assert basware.acknowledge("i") is True


def test_of_several_documents_by_id_the_one_asked_for_is_taken(api, basware):
    api.on("GET", f"{DOCUMENTS}/i", Said(200, {"accountingDocuments": [{"invoiceId": "j"}, {"invoiceId": "i"}]}))
    assert basware.document("i") == {"invoiceId": "i"}
    api.on("GET", f"{DOCUMENTS}/i", Said(200, {"accountingDocuments": [{"invoiceId": "j"}]}))
    assert basware.document("i") is None, "another invoice is never taken for this one"
    for same in ("I", None, ""):
        api.on("GET", f"{DOCUMENTS}/i", Said(200, {"accountingDocuments": [{"invoiceId": same}]}))
        assert basware.document("i") == {"invoiceId": same}


def test_sums_with_the_noise_of_doubles_are_read_as_people_wrote_them(api, basware):
    body = b'{"accountingDocuments": [{"invoiceId": "i", "grossSum": 41.830000000000005, "netSum": 33.33}]}'
    api.on("GET", f"{DOCUMENTS}/i", Said(200, body))
    assert basware.document("i")["grossSum"] == Decimal("41.83")


def test_an_unknown_document_cannot_be_claimed(api, basware):
    api.on("POST", f"{DOCUMENTS}/i/acknowledge", Said(404))
    with pytest.raises(Rejected) as caught:
        basware.acknowledge("i")
    assert caught.value.status == 404


def test_a_lost_answer_to_the_claim_is_unknown(api, basware):
    api.on("POST", f"{DOCUMENTS}/i/acknowledge", Said(cut=True))
    with pytest.raises(OutcomeUnknown):
        basware.acknowledge("i")


@pytest.mark.parametrize("kind", ["transferResponses", "paymentResponses"])
def test_an_answer_goes_as_one_object(api, basware, kind):
    api.on("POST", f"{DOCUMENTS}/i/{kind}", Said(200, {"externalCode": "e"}))
    receipt = basware.respond("i", kind, {"externalCode": "e", "paidTotal": Decimal("2000.10")})
    assert receipt.request_id == REQUEST_ID
    assert api.requests("POST", f"{DOCUMENTS}/i/{kind}")[0].body == b'{"externalCode":"e","paidTotal":2000.10}'


@pytest.mark.parametrize("status", [400, 404, 405, 409])
def test_an_answer_that_is_refused_is_rejected_with_its_status(api, basware, status):
    body = {"hasErrors": True, "errors": [{"code": "DATA_VALIDATION_FAILED", "message": "already transferred"}]}
    api.on("POST", f"{DOCUMENTS}/i/transferResponses", Said(status, body))
    with pytest.raises(Rejected, match="already transferred") as caught:
        basware.respond("i", "transferResponses", {})
    assert (caught.value.status, caught.value.code) == (status, "DATA_VALIDATION_FAILED")


def test_a_lost_answer_to_a_response_is_unknown_and_it_was_sent_once(api, basware):
    api.on("POST", f"{DOCUMENTS}/i/paymentResponses", Said(cut=True))
    with pytest.raises(OutcomeUnknown):
        basware.respond("i", "paymentResponses", {})
    assert len(api.requests("POST", f"{DOCUMENTS}/i/paymentResponses")) == 1
