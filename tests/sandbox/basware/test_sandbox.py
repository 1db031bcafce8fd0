"""The whole: seeding, state on disk, reset, faults, the control API (contracts: Basware §18 points 9 and 10)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox.basware import BaswareSandbox
from syncengine.sandbox.basware.switches import Switches
from syncengine.sandbox.control import ControlServer
from syncengine.sandbox.dataset import Dataset
from syncengine.sandbox.server import encode
from syncengine.sandbox.store import Store
from tests.sandbox.basware.world import (
    NOON,
    Clock,
    Receiver,
    Reply,
    World,
    account,
    invoice,
    send,
    transfer_response,
    vendor,
)


class Control:
    """Speaks to the control API."""

    def __init__(self, server: ControlServer) -> None:
        self._url = server.url

    def call(self, method: str, path: str, /, **payload: Any) -> Reply:
        body = encode(payload) if payload else None
        return send(self._url + path, method, body, {"Content-Type": "application/json"})

    def get(self, path: str) -> Any:
        reply = self.call("GET", path)
        assert reply.status == 200, reply.content
        return reply.json

    def post(self, path: str, /, **payload: Any) -> Any:
        reply = self.call("POST", path, **payload)
        assert reply.status == 200, reply.content
        return reply.json


@pytest.fixture(scope="module")
def control_server(running: World) -> Iterator[ControlServer]:
    with ControlServer() as server:
        running.sandbox.register(server)
        yield server


@pytest.fixture
def control(world: World, control_server: ControlServer) -> Control:
    return Control(control_server)


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Any]:
    """Starts a sandbox on the same file again and again."""
    clock, running = Clock(), []

    def start() -> World:
        while running:
            running.pop().stop()
        sandbox = BaswareSandbox(Store(tmp_path / "basware.sqlite3"), [invoice()], clock=clock, delay=60).start()
        running.append(sandbox)
        world = World(sandbox, clock)
        world.log_in()
        return world

    yield start
    running.pop().stop()


def test_the_data_set_waits_for_transfer() -> None:
    with BaswareSandbox(Store(), Dataset(NOON.date()).invoices(), clock=Clock()) as sandbox:
        world = World(sandbox, Clock())
        world.log_in()
        documents = world.documents("?ProcessingStatus=WaitingForTransfer")
        assert len(documents) == 80
        assert {document["companyCode"] for document in documents} == {"1000"}


def test_state_survives_a_restart_but_tokens_do_not(on_disk: Any) -> None:
    world = on_disk()
    world.import_("/v1/accounts", account())
    world.transfer()
    world.document()
    old = world.authorization
    world = on_disk()
    assert world.document()["processingStatus"] == "Transferred"
    assert world.import_("/v1/accounts", account()) == {"1000-GL-4000": "NotProcessed"}
    assert world.sandbox.p2p.all("accounts") == [account()]
    world.authorization = old
    assert world.get("/v1/accounts").status == 401


def test_what_waited_when_the_process_ended_is_taken_up_again(on_disk: Any) -> None:
    world = on_disk()
    imported = world.post("/v1/accounts", [account()])
    answered = world.post("/v1/accountingDocuments/inv-1/transferResponses", transfer_response())
    world = on_disk()
    assert world.processed(imported)["1000-GL-4000"]["status"] == "Success"
    assert world.processed(answered)["answer-1"]["status"] == "Success"
    assert world.document()["processingStatus"] == "Transferred"


def test_amounts_survive_on_disk_to_the_cent(on_disk: Any) -> None:
    on_disk()
    assert str(on_disk().document()["grossSum"]) == "124.0"


def test_a_reset_brings_the_data_set_back(world: World, control: Control) -> None:
    world.import_("/v1/accounts", account())
    world.transfer()
    control.post("/reset")
    assert world.get("/v1/accounts").status == 401
    world.log_in()
    assert world.get("/v1/accounts").status == 404
    assert world.document()["processingStatus"] == "WaitingForTransfer"
    assert world.import_("/v1/accounts", account()) == {"1000-GL-4000": "Success"}


def test_the_error_fault_answers_in_basware_s_shape(world: World, control: Control) -> None:
    control.post("/faults", system="basware", kind="error", status=500, path="/v1/vendors", retry_after=3)
    reply = world.get("/v1/vendors")
    assert (reply.status, reply.codes, reply.headers["retry-after"]) == (500, ["UNEXPECTED_ERROR"], "3")
    assert reply.json["requestId"] == reply.request_id
    assert world.get("/v1/vendors").status == 404


@pytest.mark.parametrize(("status", "code"), [(401, "ACCESS_TOKEN_VALIDATION_ERROR"), (409, "CONFLICT_IN_POST")])
def test_the_error_fault_knows_the_codes_of_other_statuses(world: World, status: int, code: str) -> None:
    world.sandbox.faults.add({"kind": "error", "status": status})
    assert world.get("/v1/vendors").codes == [code]


def test_throttling_says_when_to_come_again_and_has_a_request_id(world: World) -> None:
    world.sandbox.faults.add({"kind": "status", "status": 429, "retry_after": 2})
    reply = world.get("/v1/vendors")
    assert (reply.status, reply.headers["retry-after"]) == (429, "2")
    assert reply.request_id


def test_a_connection_cut_after_the_work_leaves_the_work_done(world: World) -> None:
    world.sandbox.faults.add({"kind": "drop_after", "method": "POST"})
    with pytest.raises(OSError, match="closed connection"):
        world.post("/v1/accounts", [account()])
    assert world.get("/v1/accounts/1000-GL-4000").status == 200


def test_storage_has_faults_of_its_own(world: World, control: Control) -> None:
    control.post("/faults", system="basware_storage", kind="status", status=503)
    reply = world.get("/v1/accountingDocuments")
    assert world.fetch(reply).status == 503
    assert world.fetch(reply).status == 200
    assert control.get("/requests")["basware_storage"]["counts"] == {"GET /exports/{key}": 2}


def test_switches_are_read_and_set(world: World, control: Control) -> None:
    control.post("/basware/switches", token_lifetime=2, delay=0, companies={"1000": None, "2000": "1000"})
    assert control.get("/basware/switches")["token_lifetime"] == 2
    assert world.token().json["expires_in"] == 2
    assert world.sandbox.switches.delay == 0.0


@pytest.mark.parametrize(
    "wanted", [{"speed": 1}, {"signature": "md5"}, {"continuation_on": "body"}, {"redirects": "no"}, {"delay": "soon"}]
)
def test_a_switch_that_does_not_exist_or_fit_sets_nothing(wanted: dict[str, Any]) -> None:
    switches = Switches()
    with pytest.raises(ValueError, match=r"."):
        switches.change({"token_lifetime": 5, **wanted})
    assert switches == Switches()


def test_p2p_s_own_records_can_be_read(world: World, control: Control) -> None:
    world.post("/v1/vendors", [vendor()])
    world.post("/v1/lists/ACC_LIST_1", [{"externalCode": "x", "text_1": "X"}])
    assert control.get("/basware/p2p/vendors") == []
    assert control.post("/basware/process") == {"requests": 2}
    assert control.get("/basware/p2p/vendors") == [vendor()]
    assert control.get("/basware/p2p/lists?listKey=ACC_LIST_1") == [{"externalCode": "x", "text_1": "X"}]
    counts = control.get("/basware/counts")
    assert (counts["api"]["vendors"], counts["p2p"]["vendors"], counts["p2p"]["lists"]) == (1, 1, 1)
    assert counts["documents"] == {"WaitingForTransfer": 1}


def test_documents_can_be_listed_whole_or_briefly(world: World, control: Control) -> None:
    assert control.get("/basware/documents")[0]["codingRows"]
    brief = control.get("/basware/documents?brief=1&status=WaitingForTransfer&invoiceId=inv-1")
    assert brief[0]["invoiceNumber"] == "2026-inv-1"
    assert "codingRows" not in brief[0]
    assert control.get("/basware/documents?status=Paid") == []


def test_invoices_can_be_issued_changed_moved_and_sent_again(world: World, control: Control) -> None:
    copied = control.post("/basware/issue", copyOf="inv-1", changes={"invoiceNumber": "2026-2"})
    assert copied["invoiceId"] != "inv-1"
    assert copied["codingRows"] == invoice()["codingRows"]
    assert control.post("/basware/issue", document=invoice("inv-3"))["processingStatus"] == "WaitingForTransfer"
    assert control.post("/basware/change", invoiceId="inv-3", changes={"grossSum": 5})["grossSum"] == 5
    moved = control.post("/basware/move", invoiceId="inv-3", status="TransferFailed")
    assert moved["processingStatus"] == "TransferFailed"
    again = control.post("/basware/retransfer", invoiceId="inv-3", changes={"description": "mended"})
    assert (again["processingStatus"], again["description"]) == ("WaitingForTransfer", "mended")


def test_a_transfer_can_be_forgotten(world: World, control: Control) -> None:
    answers = [{"externalCode": "a", "success": True, "voucherNumber1": "10457"}]
    changes = {"transferResponses": answers, "voucherNumber1": "10457"}
    control.post("/basware/change", invoiceId="inv-1", changes=changes)
    control.post("/basware/move", invoiceId="inv-1", status="Transferred")
    left = control.post("/basware/unconfirm", invoiceId="inv-1")
    assert left["processingStatus"] == "TransferInProgress"
    assert not left.keys() & changes.keys()


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("/basware/retransfer", {"invoiceId": "inv-1"}),
        ("/basware/unconfirm", {"invoiceId": "nope"}),
        ("/basware/retransfer", {"invoiceId": "nope"}),
        ("/basware/issue", {"copyOf": "nope"}),
        ("/basware/issue", {"document": invoice.__name__}),
        ("/basware/move", {"invoiceId": "inv-1", "status": "Lost"}),
        ("/basware/outcome", {"externalCode": "x", "status": "Lost"}),
        ("/basware/notify", {"documentId": "x", "signature": "md5"}),
        ("/basware/switches", {"speed": 1}),
    ],
)
def test_what_cannot_be_done_is_400_with_a_reason(control: Control, path: str, payload: dict[str, Any]) -> None:
    reply = control.call("POST", path, **payload)
    assert reply.status == 400
    assert reply.json["error"]


def test_an_outcome_is_ordered_over_the_control_api(world: World, control: Control) -> None:
    control.post("/basware/outcome", externalCode="1000-GL-4000", message="Down", category="Technical")
    item = world.processed(world.post("/v1/accounts", [account()]))["1000-GL-4000"]
    assert item["errors"] == [{"type": "Error", "message": "Down", "category": "Technical"}]


def test_a_notification_is_repeated_or_made_up(world: World, control: Control, subscriber: Receiver) -> None:
    made = control.post("/basware/notify", documentId="inv-1", signature="bad")["taskIds"]
    subscriber.wait_for(1)
    assert control.post("/basware/notify", documentId="inv-1")["taskIds"] == made
    first, second = subscriber.wait_for(2)
    assert first.body == second.body
    assert first.signature != second.signature


def test_tokens_and_urls_end_on_command(world: World, control: Control) -> None:
    reply = world.get("/v1/accountingDocuments")
    assert control.post("/basware/expire-urls") == {"expired": 1}
    assert world.fetch(reply).status == 403
    assert control.post("/basware/expire-tokens") == {"expired": 1}
    assert world.get("/v1/accountingDocuments").status == 401


def test_every_action_is_described(control: Control) -> None:
    described = {path: text for path, text in control.get("/").items() if "/basware" in path}
    assert len(described) == 24
    assert all(described.values())


def test_fifty_batches_of_vendors_are_taken_quickly(world: World) -> None:
    for start in range(0, 10_000, 200):
        batch = [vendor(f"V{number}") for number in range(start, start + 200)]
        assert world.post("/v1/vendors", batch).status == 200
    assert world.sandbox.processing.process_due(everything=True) == 50
    assert len(world.sandbox.p2p.all("vendors")) == 10_000
