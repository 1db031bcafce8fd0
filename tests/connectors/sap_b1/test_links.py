"""How a server may write its link to the next page, and in what order pages are asked for (contracts: SAP §1, §5)."""

from __future__ import annotations

import pytest

from syncengine.connectors.outcomes import Unavailable
from syncengine.connectors.sap_b1.paging import check_link
from tests.connectors.sap_b1.test_reads import vendors
from tests.connectors.servers import json_answer


@pytest.mark.parametrize("name", ["@odata.nextLink", "odata.nextLink", "@odata.nextlink", "@OData.NextLink"])
def test_the_link_is_known_in_either_version_s_spelling_and_any_case(client, sap, name):
    first = json_answer({"value": vendors(2), name: "BusinessPartners?$skip=2"})
    sap.on("GET", "BusinessPartners", first, sap.collection([]))
    client.find("BusinessPartners", where="", select=["CardCode"])
    assert len(sap.calls) == 2


@pytest.mark.parametrize("link", [None, ""])
def test_an_empty_link_is_the_end(client, sap, link):
    sap.on("GET", "BusinessPartners", json_answer({"value": vendors(2), "@odata.nextLink": link}))
    assert len(client.find("BusinessPartners", where="", select=["CardCode"])) == 2


@pytest.mark.parametrize(
    ("link", "root"),
    [
        ("https://sap.example:443/b1s/v2/X?$skip=2", "https://sap.example/b1s/v2"),
        ("https://SAP.example/b1s/v2/X?$skip=2", "https://sap.example:443/b1s/v2"),
        ("http://sap.example/b1s/v2/X?$skip=2", "http://sap.example:80/b1s/v2"),
    ],
)
def test_a_link_that_names_the_default_port_leads_to_the_same_root(link, root):
    check_link(link, root)


def test_a_link_to_another_port_leads_elsewhere():
    with pytest.raises(Unavailable):
        check_link("https://sap.example:50001/b1s/v2/X?$skip=2", "https://sap.example:50000/b1s/v2")


def test_several_pages_are_asked_for_in_an_order_since_without_one_they_overlap(client, sap):
    sap.on("GET", "PurchaseDeliveryNotes", sap.collection([]))
    client.find("PurchaseDeliveryNotes", where="", select=["DocEntry", "DocNum"], top=2000)
    client.find("PurchaseDeliveryNotes", where="", select=["DocEntry", "DocNum"], top=100)
    assert [call.query.get("$orderby") for call in sap.calls] == ["DocEntry", None]


def test_rows_by_a_field_that_is_no_key_come_in_an_order_too(client, sap):
    sap.on("GET", "PurchaseDownPayments", sap.collection([]))
    client.by_keys("PurchaseDownPayments", "CardCode", ["V1"], ["DocEntry", "CardCode"])
    client.by_keys("PurchaseDownPayments", "DocEntry", [1], ["DocEntry", "CardCode"])
    assert [call.query.get("$orderby") for call in sap.calls] == ["CardCode,DocEntry", None]
