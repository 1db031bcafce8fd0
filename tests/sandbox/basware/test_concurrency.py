"""Several clients at once: claims and responses are taken once, batches do not mix."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.sandbox.basware.world import Reply, World, account, invoice, payment_response, transfer_response

CLIENTS = 8


def at_once(calls: list[Callable[[], Reply]]) -> list[int]:
    """The statuses of calls made together, sorted."""
    with ThreadPoolExecutor(CLIENTS) as threads:
        return sorted(reply.status for reply in threads.map(lambda call: call(), calls))


def test_of_many_claims_one_wins(world: World) -> None:
    path = "/v1/accountingDocuments/inv-1/acknowledge"
    assert at_once([lambda: world.post(path)] * CLIENTS) == [200] + [405] * (CLIENTS - 1)


def test_of_many_transfer_responses_one_is_taken(world: World) -> None:
    path = "/v1/accountingDocuments/inv-1/transferResponses"
    bodies = [transfer_response(externalCode=str(number)) for number in range(CLIENTS)]
    statuses = at_once([lambda body=body: world.post(path, body) for body in bodies])
    assert statuses == [200] + [400] * (CLIENTS - 1)


def test_of_many_equal_payments_one_is_taken(world: World) -> None:
    world.transfer()
    path = "/v1/accountingDocuments/inv-1/paymentResponses"
    assert at_once([lambda: world.post(path, payment_response())] * CLIENTS) == [200] + [409] * (CLIENTS - 1)
    world.clock.advance(60)
    assert len(world.document()["paymentResponses"]) == 1


def test_different_invoices_do_not_hinder_each_other(world: World) -> None:
    for number in range(CLIENTS):
        world.sandbox.documents.issue(invoice(f"many-{number}"))
    path = "/v1/accountingDocuments/many-{}/transferResponses"
    calls = [lambda number=number: world.post(path.format(number), transfer_response()) for number in range(CLIENTS)]
    assert at_once(calls) == [200] * CLIENTS
    world.clock.advance(60)
    assert len(world.documents("?ProcessingStatus=Transferred")) == CLIENTS


def test_batches_posted_together_are_all_kept(world: World) -> None:
    def batch(client: int) -> list[dict[str, object]]:
        return [account(f"{client}-{number}") for number in range(50)]

    calls = [lambda client=client: world.post("/v1/accounts", batch(client)) for client in range(CLIENTS)]
    assert at_once(calls) == [200] * CLIENTS
    assert world.sandbox.processing.process_due(everything=True) == CLIENTS
    assert len(world.sandbox.p2p.all("accounts")) == 50 * CLIENTS


def test_reading_while_others_write_always_sees_a_whole_state(world: World) -> None:
    calls: list[Callable[[], Reply]] = [lambda: world.get("/v1/accountingDocuments")] * 20
    calls += [lambda: world.post("/v1/accountingDocuments/inv-1/acknowledge")]
    calls += [lambda number=number: world.post("/v1/accounts", [account(str(number))]) for number in range(20)]
    assert at_once(calls) == [200] * 21 + [302] * 20
