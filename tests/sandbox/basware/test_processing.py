"""Contracts: Basware §3.7, §5 and §18 point 4: what becomes of a record after the 200."""

import pytest

from syncengine.sandbox.basware.processing import Forced
from tests.sandbox.basware.world import World, account, line, order, payment_term, vendor


def status_of(world: World, request_id: str) -> dict[str, object]:
    return world.get(f"/v1/requestStatus/{request_id}").json["requestStatus"][0]


def test_a_record_is_in_progress_until_the_delay_is_over(world: World) -> None:
    request_id = world.post("/v1/accounts", [account()]).request_id
    before = status_of(world, request_id)
    assert (before["requestStatus"], before["systems"][0]["items"][0]["status"]) == ("InProgress", "InProgress")
    assert world.sandbox.p2p.all("accounts") == []
    world.clock.advance(60)
    after = status_of(world, request_id)
    assert (after["requestStatus"], after["systems"][0]["items"][0]["status"]) == ("Success", "Success")
    assert world.sandbox.p2p.all("accounts") == [account()]


def test_an_unchanged_record_is_not_processed(world: World) -> None:
    world.import_("/v1/accounts", account(text1=None))
    assert world.import_("/v1/accounts", account(lastUpdated="2026-01-01")) == {"1000-GL-4000": "NotProcessed"}


def test_an_unchanged_record_is_dropped_even_if_p2p_never_saved_it(world: World) -> None:
    body = vendor(paymentTerms={"paymentTermCode": "30"})
    assert world.import_("/v1/vendors", body) == {"1000-V-V10000": "Error"}
    world.import_("/v1/paymentTerms", payment_term())
    assert world.import_("/v1/vendors", body) == {"1000-V-V10000": "NotProcessed"}
    assert world.import_("/v1/vendors", {**body, "description": "rev 2"}) == {"1000-V-V10000": "Success"}


def test_a_record_overtaken_within_a_second_expires(world: World) -> None:
    older = world.post("/v1/accounts", [account(text1="a")])
    world.clock.advance(0.9)
    newer = world.post("/v1/accounts", [account(text1="b")])
    items = world.processed(newer)
    assert items["1000-GL-4000"]["status"] == "Success"
    expired = world.processed(older)["1000-GL-4000"]
    assert (expired["status"], expired["errors"][0]["type"]) == ("RecordExpired", "RecordExpired")
    assert world.sandbox.p2p.get("accounts", "1000-GL-4000") == account(text1="b")


def test_a_record_overtaken_later_is_worked_in_its_turn(world: World) -> None:
    older = world.post("/v1/accounts", [account(text1="a")])
    world.clock.advance(1)
    newer = world.post("/v1/accounts", [account(text1="b")])
    assert [world.processed(reply)["1000-GL-4000"]["status"] for reply in (older, newer)] == ["Success", "Success"]
    assert world.sandbox.p2p.get("accounts", "1000-GL-4000") == account(text1="b")


def test_an_equal_record_overtakes_nothing(world: World) -> None:
    first = world.post("/v1/accounts", [account()])
    second = world.post("/v1/accounts", [account()])
    assert world.processed(first)["1000-GL-4000"]["status"] == "Success"
    assert world.processed(second)["1000-GL-4000"]["status"] == "NotProcessed"


def test_one_request_may_hold_every_outcome(world: World) -> None:
    world.import_("/v1/paymentTerms", payment_term())
    world.import_("/v1/vendors", vendor("V1"))
    reply = world.post(
        "/v1/vendors",
        [
            vendor("V1"),
            vendor("V2", paymentTerms={"paymentTermCode": "30"}),
            vendor("V3", paymentTerms={"paymentTermCode": "60"}),
            vendor("V4", identifiers=[{"id": "34-1234567", "schemeId": "EIN"}]),
        ],
    )
    items = world.processed(reply)
    assert {key[-2:]: item["status"] for key, item in items.items()} == {
        "V1": "NotProcessed",
        "V2": "Success",
        "V3": "Error",
        "V4": "Warning",
    }
    assert items["1000-V-V3"]["errors"] == [
        {"type": "Error", "message": "Payment term 60 not found.", "category": "DataValidation"}
    ]
    assert status_of(world, reply.request_id)["requestStatus"] == "Error"


def test_references_posted_before_in_the_right_order_are_found_without_waiting(world: World) -> None:
    world.post("/v1/paymentTerms", [payment_term()])
    world.post("/v1/vendors", [vendor(paymentTerms={"paymentTermCode": "30"})])
    world.post("/v1/matchingOrders", [order()])
    assert world.import_("/v1/matchingOrderLines", line()) == {"1000-POL-500/1": "Success"}


def test_a_patch_is_processed_like_a_post(world: World) -> None:
    world.import_("/v1/accounts", account(text1="a"))
    reply = world.call("PATCH", "/v1/accounts/1000-GL-4000", account(text2="b"))
    assert world.processed(reply)["1000-GL-4000"]["status"] == "Success"
    assert status_of(world, reply.request_id)["operationType"] == "PATCH"
    assert world.sandbox.p2p.get("accounts", "1000-GL-4000") == account(text1="a", text2="b")


@pytest.mark.parametrize(
    ("forced", "status", "category"),
    [
        (Forced("Error", "Out of order", "Technical"), "Error", "Technical"),
        (Forced("Warning", "Odd", "Data validation"), "Warning", "Data validation"),
        (Forced("Unpublished", ""), "Unpublished", None),
    ],
)
def test_an_outcome_can_be_ordered_for_the_next_time(
    world: World, forced: Forced, status: str, category: str | None
) -> None:
    world.sandbox.processing.forced["1000-GL-4000"] = forced
    item = world.processed(world.post("/v1/accounts", [account(text1="a")]))["1000-GL-4000"]
    assert item["status"] == status
    assert [error["category"] for error in item["errors"]] == ([category] if category else [])
    assert world.import_("/v1/accounts", account(text1="b")) == {"1000-GL-4000": "Success"}


def test_a_forced_error_keeps_the_record_out_of_p2p(world: World) -> None:
    world.sandbox.processing.forced["1000-GL-4000"] = Forced("Error", "no", count=0)
    assert world.import_("/v1/accounts", account(text1="a")) == {"1000-GL-4000": "Error"}
    assert world.import_("/v1/accounts", account(text1="b")) == {"1000-GL-4000": "Error"}
    assert world.sandbox.p2p.all("accounts") == []


def test_everything_waiting_can_be_worked_at_once(world: World) -> None:
    world.post("/v1/accounts", [account()])
    assert world.sandbox.processing.process_due(everything=True) == 1
    assert world.sandbox.processing.process_due(everything=True) == 0
    assert world.sandbox.p2p.all("accounts") == [account()]


def test_p2p_works_by_itself_while_nobody_calls(world: World) -> None:
    request_id = world.post("/v1/accounts", [account()]).request_id
    finished = world.sandbox.processing.all
    world.clock.advance(60)
    for _ in range(500):
        if finished[request_id]["requestStatus"] == "Success":
            break
        world.sandbox._stopping.wait(0.01)
    assert finished[request_id]["requestStatus"] == "Success"
