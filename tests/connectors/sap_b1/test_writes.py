"""Documents, patches, actions and services (contracts: SAP §3.4, §3.5, §6, §8.4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.connectors.outcomes import OutcomeUnknown, Rejected, Unavailable
from syncengine.connectors.sap_b1 import Created, retry_conflict
from tests.connectors.servers import http_answer, json_answer

CONFLICT = "Another user or another operation modified data (ODBC -2039)"


def test_amounts_go_out_digit_by_digit(client, sap):
    sap.on("POST", "PurchaseInvoices", json_answer({"DocEntry": 4711}, 201))
    lines = [{"LineTotal": Decimal("100.10")}, {"LineTotal": Decimal("0.30")}, {"UnitPrice": Decimal("1E+3")}]
    client.create("PurchaseInvoices", {"CardCode": "V1", "DocumentLines": lines})
    sent = sap.calls[0]
    assert sent.body == (
        b'{"CardCode":"V1","DocumentLines":[{"LineTotal":100.10},{"LineTotal":0.30},{"UnitPrice":1000}]}'
    )
    assert sent.header("Content-Type") == "application/json"
    assert sent.header("Expect") is None


def test_a_created_record_comes_back_with_decimals(client, sap):
    location = ("Location", f"{client.settings.root}/PurchaseInvoices(4711)")
    sap.on("POST", "PurchaseInvoices", json_answer({"DocEntry": 4711, "DocTotal": Decimal("150.60")}, 201, [location]))
    created = client.create("PurchaseInvoices", {})
    assert created.record == {"DocEntry": 4711, "DocTotal": Decimal("150.60")}
    assert (created.status, created.key, created.entity_set) == (201, 4711, "PurchaseInvoices")


@pytest.mark.parametrize(
    ("answer", "key", "entity_set"),
    [
        (json_answer({"DocEntry": 5}, 200), 5, ""),
        (http_answer(204, Location="https://sap/b1s/v2/PurchaseInvoices(5)"), 5, "PurchaseInvoices"),
        (http_answer(204, Location="PurchaseInvoices(5)"), 5, "PurchaseInvoices"),
        (http_answer(201, Location="/b1s/v2/BusinessPartners('V1')"), "V1", "BusinessPartners"),
        (http_answer(201, Location="/b1s/v2/Projects('0042')"), "0042", "Projects"),
        (http_answer(204), None, ""),
        (http_answer(201), None, ""),
        (http_answer(200, "  \n"), None, ""),
        (json_answer({}, 201), None, ""),
        (json_answer([], 201), None, ""),
    ],
)
def test_every_answer_to_a_post_is_survived(client, sap, answer, key, entity_set):
    sap.on("POST", "PurchaseInvoices", answer)
    created = client.create("PurchaseInvoices", {})
    assert (created.key, created.entity_set) == (key, entity_set)


@pytest.mark.parametrize(
    ("record", "location", "entity_set"),
    [
        ({"@odata.context": "https://sap/b1s/v2/$metadata#Drafts/$entity"}, "", "Drafts"),
        ({"odata.metadata": "https://sap/b1s/v1/$metadata#Drafts/@Element"}, "", "Drafts"),
        ({"@odata.context": "https://sap/$metadata#PurchaseInvoices/$entity"}, "https://sap/Drafts(7)", "Drafts"),
        ({"@odata.context": "https://sap/$metadata#Drafts(DocEntry)"}, "https://sap/PurchaseInvoices(7)", "Drafts"),
        ({"@odata.context": "https://sap/$metadata#PurchaseInvoices/$entity"}, "", "PurchaseInvoices"),
        (None, "https://sap/PurchaseInvoices(7)", "PurchaseInvoices"),
    ],
)
def test_a_draft_is_told_by_location_or_context(record, location, entity_set):
    """An approval procedure stores a draft whose DocEntry may equal that of an unrelated invoice."""
    assert Created(201, record, location).entity_set == entity_set


def test_a_missing_master_record_inside_a_post_is_a_business_error_not_a_missing_endpoint(client, sap):
    sap.on("POST", "PurchaseInvoices", sap.error(404, -2028, "Customer record not found"))
    with pytest.raises(Rejected) as fault:
        client.create("PurchaseInvoices", {})
    assert fault.value.code == "sap_-2028"


# --- patches and actions


def test_a_patch_is_answered_with_nothing(client, sap):
    sap.on("PATCH", "PurchaseInvoices(5)", http_answer(204))
    client.update("PurchaseInvoices", 5, {"PaymentBlock": "tYES"})
    assert sap.calls[0].json() == {"PaymentBlock": "tYES"}
    assert sap.calls[0].header("If-Match") is None


def test_a_patch_may_be_bound_to_a_data_version(client, sap):
    sap.on("PATCH", "PurchaseInvoices(5)", http_answer(204))
    client.update("PurchaseInvoices", 5, {"Comments": "x"}, data_version=3)
    assert sap.calls[0].header("If-Match") == 'W/"77DE68DAECD823BABBB58EDB1C8E14D7106E83BB"'


def test_somebody_elses_lock_is_waited_for(client, sap, slept):
    busy = sap.error(412, -2039, CONFLICT)
    sap.on("PATCH", "PurchaseInvoices(5)", busy, busy, http_answer(204))
    client.update("PurchaseInvoices", 5, {"Comments": "x"})
    assert len(sap.calls) == 3
    assert slept == [1, 2]


def test_a_lock_that_stays_is_unavailable(client, sap):
    sap.on("PATCH", "PurchaseInvoices(5)", sap.error(400, -2039, CONFLICT))
    with pytest.raises(Unavailable) as fault:
        client.update("PurchaseInvoices", 5, {"Comments": "x"})
    assert fault.value.code == "sap_-2039"
    assert len(sap.calls) == 3


def test_a_wrong_etag_is_told_at_once_since_only_the_caller_can_read_again(client, sap, slept):
    sap.on("PATCH", "PurchaseInvoices(5)", sap.error(412, -2039, CONFLICT))
    with pytest.raises(Unavailable):
        client.update("PurchaseInvoices", 5, {"Comments": "x"}, data_version=1)
    assert len(sap.calls) == 1
    assert not slept


def test_a_caller_reads_again_at_each_try(client, sap, slept):
    sap.on("GET", "PurchaseInvoices(5)", json_answer({"DataVersion": 1}), json_answer({"DataVersion": 2}))
    sap.on("PATCH", "PurchaseInvoices(5)", sap.error(412, -2039, CONFLICT), http_answer(204))

    def attempt() -> None:
        version = client.by_key("PurchaseInvoices", 5, ["DataVersion"])["DataVersion"]
        client.update("PurchaseInvoices", 5, {"Comments": "x"}, data_version=version)

    retry_conflict(attempt, sleep=slept.append)
    tags = [call.header("If-Match") for call in sap.calls_of("PATCH", "PurchaseInvoices(5)")]
    assert len(set(tags)) == 2


def test_other_trouble_is_not_a_conflict(client, sap, slept):
    sap.on("PATCH", "PurchaseInvoices(5)", sap.error(500, -1, "Internal error"))
    with pytest.raises(Unavailable):
        client.update("PurchaseInvoices", 5, {})
    assert not slept
    assert len(sap.calls) == 1


def test_a_post_never_waits_for_a_conflict_by_itself(client, sap):
    """The caller looks for the document before it posts again."""
    sap.on("POST", "PurchaseInvoices", sap.error(400, -2039, CONFLICT))
    with pytest.raises(Unavailable):
        client.create("PurchaseInvoices", {})
    assert len(sap.calls) == 1


def test_a_patch_without_answer_is_unknown(client, sap):
    sap.on("PATCH", "PurchaseInvoices(5)", lambda _: None)
    with pytest.raises(OutcomeUnknown):
        client.update("PurchaseInvoices", 5, {"Comments": "x"})
    assert len(sap.calls) == 1


def test_an_action_has_no_body_unless_given_one(client, sap):
    sap.on("POST", "PurchaseInvoices(5)/Cancel", http_answer(204))
    sap.on("POST", "PurchaseInvoices(5)/Reopen", http_answer(204))
    client.action("PurchaseInvoices", 5, "Cancel")
    client.action("PurchaseInvoices", 5, "Reopen", {"a": 1})
    assert [(call.body, call.header("Content-Type")) for call in sap.calls] == [
        (b"", None),
        (b'{"a":1}', "application/json"),
    ]


def test_a_refused_action_is_rejected(client, sap):
    sap.on("POST", "PurchaseInvoices(5)/Cancel", sap.error(400, -5006, "The requested action is not supported"))
    with pytest.raises(Rejected):
        client.action("PurchaseInvoices", 5, "Cancel")


def test_a_service_that_only_reads_is_a_read_though_it_is_a_post(client, sap):
    sap.on("POST", "SBOBobService_GetDueDate", lambda _: None)
    with pytest.raises(Unavailable):
        client.service("SBOBobService_GetDueDate", {"CardCode": "V1", "RefDate": "20261120"})


def test_a_service_that_writes_may_be_unknown(client, sap):
    sap.on("POST", "PurchaseInvoicesService_Cancel2", lambda _: None)
    with pytest.raises(OutcomeUnknown):
        client.service("PurchaseInvoicesService_Cancel2", {"Document": {"DocEntry": 123}}, writes=True)


def test_a_service_gives_what_it_answers(client, sap):
    sap.on("POST", "SBOBobService_GetCurrencyRate", json_answer(Decimal("1.0850")))
    sap.on("POST", "DraftsService_SaveDraftToDocument", http_answer(204))
    assert client.service("SBOBobService_GetCurrencyRate", {"Currency": "USD"}) == Decimal("1.0850")
    assert client.service("DraftsService_SaveDraftToDocument", {}, writes=True) is None
