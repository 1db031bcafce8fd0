"""What people do in SAP and Basware around a backup, and what both then hold of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.test import override_settings

from syncengine.audit.keys import audit_key
from syncengine.models import PostedDocument
from syncengine.sandbox.dataset import Dataset
from tenants.models import Integration
from tests.engine.world import World
from tests.portal.installations import Site
from tests.postgres import moved_to


@contextmanager
def working_at(site: Site, integration: Integration, sandboxes: Any) -> Iterator[World]:
    """This process as a worker of that installation."""
    with override_settings(AUDIT_ANCHOR=site.anchors), moved_to(site.url, migrated=False):
        audit_key.cache_clear()
        yield World(Integration.objects.get(pk=integration.pk), sandboxes)
    audit_key.cache_clear()


def offer(world: World, numbers: Sequence[str]) -> None:
    """New approved invoices, all like one that can be posted."""
    for number in numbers:
        world.tell("/basware/issue", copyOf=plain_invoice(world), changes={"invoiceNumber": number})


def plain_invoice(world: World) -> str:
    bad = set(Dataset().bad_invoices().values())
    documents = world.tell("/basware/documents", "GET")
    plain = [one for one in documents if not one.get("orderNumbers") and one["grossSum"] > 0]
    return str(next(one["invoiceId"] for one in plain if one["invoiceId"] not in bad))


def clear_shelf(world: World) -> None:
    """The invoices of the data set are out of the way: a handful is enough here."""
    for document in world.tell("/basware/documents", "GET"):
        world.tell("/basware/move", invoiceId=document["invoiceId"], status="Removed")


def posted(world: World) -> dict[str, list[Any]]:
    """SAP's documents from us by number of the invoice."""
    found: dict[str, list[Any]] = {}
    for document in world.sap("PurchaseInvoices"):
        if (document.get("Comments") or "").startswith("Basware "):
            found.setdefault(document["NumAtCard"], []).append(document)
    return found


def in_basware(world: World, number: str) -> Any:
    documents = world.tell("/basware/documents", "GET")
    return next(one for one in documents if one["invoiceNumber"] == number)


def pay(world: World, number: str) -> None:
    """In full, and Basware is told by us."""
    world.tell("/sap/payments", entry=posted(world)[number][0]["DocEntry"])
    world.run("payments")


def told(world: World) -> Counter[str]:
    """How often Basware was told of each payment."""
    documents = world.tell("/basware/documents", "GET")
    return Counter(one["externalCode"] for document in documents for one in document.get("paymentResponses") or ())


def counts(world: World) -> dict[str, int]:
    return {number: len(documents) for number, documents in posted(world).items()}


def known(world: World) -> set[str]:
    """The numbers of the invoices whose document in SAP our own books name."""
    rows = PostedDocument.objects.filter(integration=world.integration)
    return set(rows.values_list("num_at_card", flat=True))
