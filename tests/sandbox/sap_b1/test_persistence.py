"""What survives: a restart, a cut connection, a killed process (contracts: SAP §2, §3.5, §11 point 11)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import requests

from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.sap_b1.company import DEFAULT_SETTINGS
from syncengine.sandbox.sap_b1.server import SapSandbox
from syncengine.sandbox.server import encode
from syncengine.sandbox.store import Store
from tests.sandbox.sap_b1.conftest import Client, error_of

DATASET = Dataset()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sap.sqlite3"


@pytest.fixture
def start(path):
    """Starts the sandbox over the same file; whatever ran before is stopped first."""
    running = []

    def stop():
        while running:
            sap = running.pop()
            sap.stop()
            sap.company.store.close()

    def start():
        stop()
        sap = SapSandbox(Store(path), DATASET).start()
        running.append(sap)
        client = Client(sap)
        assert client.log_in().ok
        return client

    yield start
    stop()


def whole(client):
    """Everything that is stored, as text."""
    store = client.sap.company.store
    stored = {name: store.collection(name).values() for name in sorted(store._collections)}
    return {name: encode(documents) for name, documents in stored.items() if documents}


def test_a_restart_finds_every_document_as_it_was_left(start, service_invoice):
    client = start()
    invoice = client.post("PurchaseInvoices", service_invoice).json()
    client.sap.payments.pay(client.sap.company.collection("PurchaseInvoices")[invoice["DocEntry"]])
    client.post("PurchaseOrders(801)/Close")
    client.call("PATCH", "BusinessPartners('V10004')", {"Phone1": "1"})
    client.call("DELETE", "Projects('P001')")
    before = whole(client)
    assert whole(start()) == before


def test_reads_after_a_restart_answer_byte_for_byte_alike(start, service_invoice):
    client = start()
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    paths = [f"PurchaseInvoices({entry})", "PurchaseOrders(805)", "BusinessPartners('V10002')", "VatGroups('I255')"]
    before = [client.get(path).text.replace(str(client.sap.port), "") for path in paths]
    client = start()
    assert [client.get(path).text.replace(str(client.sap.port), "") for path in paths] == before


def test_numbers_go_on_where_they_stopped(start, service_invoice):
    first = start().post("PurchaseInvoices", service_invoice).json()
    second = start().post("PurchaseInvoices", service_invoice).json()
    assert [second[name] - first[name] for name in ("DocEntry", "DocNum", "TransNum")] == [1, 1, 1]


def test_settings_and_user_fields_are_kept_and_sessions_are_not(start):
    client = start()
    client.sap.company.change_settings(duplicate_block=True, session_timeout=5)
    client.post("UserFieldsMD", {"TableName": "OPCH", "Name": "Extra", "Type": "db_Alpha"})
    old = client.session
    client = start()
    assert client.sap.company.settings == DEFAULT_SETTINGS | {"duplicate_block": True, "session_timeout": 5}
    assert client.rows("PurchaseInvoices?$filter=U_Extra eq 'x'") == []
    client.session = old
    assert error_of(client.get("Projects"))[:2] == (401, "301")


def test_calculations_go_on_exactly_after_a_restart(start, service_invoice):
    """Amounts go through JSON on disk: what is read back must add up as before."""
    client = start()
    entry = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    for _ in range(3):
        client = start()
        applied = {"DocEntry": entry, "InvoiceType": "it_PurchaseInvoice", "SumApplied": 49.21}
        body = {"CardCode": "V10004", "TransferSum": 49.21, "PaymentInvoices": [applied]}
        assert client.post("VendorPayments", body).status_code == 201
    now = start().read(f"PurchaseInvoices({entry})")
    assert (now["PaidToDate"], now["DocumentStatus"]) == (147.63, "bost_Close")


def test_attachments_are_kept_with_their_bytes(start):
    client = start()
    files = {"files": ("a.pdf", b"\x00\xff%PDF")}
    headers = {"Cookie": f"B1SESSION={client.session}"}
    made = requests.post(f"{client.root}/Attachments2", files=files, headers=headers, timeout=5).json()
    assert start().get(f"Attachments2({made['AbsoluteEntry']})/$value").content == b"\x00\xff%PDF"


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "bad_json"])
def test_what_was_committed_before_the_answer_was_lost_is_there_even_after_a_restart(start, service_invoice, kind):
    client = start()
    client.sap.faults.add({"kind": kind, "method": "POST", "path": "PurchaseInvoices"})
    try:
        client.post("PurchaseInvoices", service_invoice).json()
        answered = True
    except (requests.RequestException, ValueError):
        answered = False
    assert not answered
    path = "PurchaseInvoices?$select=DocNum,DocTotal&$filter=U_BW_InvoiceId eq '8f2c1d'"
    assert [row["DocTotal"] for row in client.rows(path)] == [147.63]
    assert [row["DocTotal"] for row in start().rows(path)] == [147.63]


def test_what_was_cut_off_before_the_work_is_not_there(start, service_invoice):
    client = start()
    client.sap.faults.add({"kind": "drop_before", "method": "POST", "path": "PurchaseInvoices"})
    with pytest.raises(requests.ConnectionError):
        client.post("PurchaseInvoices", service_invoice)
    assert client.rows("PurchaseInvoices?$filter=U_BW_InvoiceId eq '8f2c1d'") == []
    assert client.post("PurchaseInvoices", service_invoice).status_code == 201


def test_a_retry_after_a_lost_answer_makes_a_second_document(start, service_invoice):
    """There is no idempotency key: who does not search first posts twice, and pays with a document number."""
    client = start()
    client.sap.faults.add({"kind": "drop_after", "method": "POST", "path": "PurchaseInvoices"})
    with pytest.raises(requests.ConnectionError):
        client.post("PurchaseInvoices", service_invoice)
    second = client.post("PurchaseInvoices", service_invoice).json()
    rows = client.rows("PurchaseInvoices?$select=DocNum&$filter=U_BW_InvoiceId eq '8f2c1d'&$orderby=DocNum")
    assert [row["DocNum"] for row in rows] == [second["DocNum"] - 1, second["DocNum"]]


def test_what_was_answered_is_on_disk_although_nobody_closed_the_store(start, path, service_invoice):
    entry = start().post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    other = Store(path)
    assert other.collection("PurchaseInvoices")[entry]["NumAtCard"] == "A-1"
    other.close()


def test_parallel_postings_get_different_numbers_and_all_are_kept(start, service_invoice):
    client = start()
    with ThreadPoolExecutor(8) as pool:
        bodies = [service_invoice | {"NumAtCard": f"N-{number}"} for number in range(24)]
        made = [answer.json() for answer in pool.map(lambda body: client.post("PurchaseInvoices", body), bodies)]
    for name in ("DocEntry", "DocNum", "TransNum"):
        assert len({document[name] for document in made}) == 24
    rows = start().rows("PurchaseInvoices?$filter=startswith(NumAtCard,'N-')", Prefer="odata.maxpagesize=0")
    assert {row["NumAtCard"] for row in rows} == {f"N-{number}" for number in range(24)}


def test_parallel_postings_never_take_more_than_an_order_line_has(start):
    client = start()
    orders = client.sap.company.collection("PurchaseOrders").values()
    order = next(o for o in orders if o["DocumentStatus"] == "bost_Open" and o["DocumentLines"][0]["Quantity"] == 10)
    line = {"BaseType": 22, "BaseEntry": order["DocEntry"], "BaseLine": 0, "Quantity": 3}
    body = {"CardCode": order["CardCode"], "DocType": order["DocType"], "DocumentLines": [line]}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("PurchaseInvoices", body), range(8)))
    assert sum(answer.ok for answer in answers) == 3
    left = client.read(f"PurchaseOrders({order['DocEntry']})")["DocumentLines"][0]
    assert (left["RemainingOpenQuantity"], left["LineStatus"]) == (1.0, "bost_Open")


def test_a_kept_state_does_not_take_the_data_of_another_day(path, start):
    start()
    start().sap.stop()
    with SapSandbox(Store(path), Dataset(date(2020, 1, 1))) as later:
        orders = later.company.collection("PurchaseOrders").values()
        assert {order["DocDate"][:4] for order in orders} != {"2019"}
