"""The mapping bench in a real browser: choosing without JMESPath, the output as one types, tables, cases, the yes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from syncengine.models import PostedDocument
from tenants.models import FieldMapping, Integration
from tenants.models.field_mapping import MappingCase
from tests import factories

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 360, "height": 780}}
INVOICE = {
    "invoiceId": "a" * 32,
    "invoiceNumber": "RE-4711",
    "supplierCode": "V10000",
    "supplierName": "Nordic <b>Paper</b> Oy",
    "invoiceDate": "2026-05-04T00:00:00Z",
    "currencyCode": "EUR",
    "grossSum": Decimal("1240.50"),
    "paymentTermCode": "30",
    "description": "Paper for May",
    "organizationElementCode": "1000",
    "codingRows": [
        {
            "rowIndex": 1,
            "accountCode": "4010",
            "taxCode": "V25",
            "netTotal": Decimal("1000.00"),
            "lastComment": "Paper",
        },
        {"rowIndex": 2, "accountCode": "4020", "taxCode": "V25", "netTotal": Decimal("0.40")},
    ],
}


@pytest.fixture
def integration(site: str) -> Integration:
    organization = factories.OrganizationFactory(name="Nordic Paper", slug="nordic-paper")
    made: Integration = factories.IntegrationFactory(organization=organization, name="Finland")
    factories.connect(made)
    failed = {
        "status": "failed",
        "error_code": "problems",
        "error_message": "tax code V25 does not exist in SAP",
        "cause": "problems: tax code V25 does not exist in SAP",
        "source": INVOICE,
    }
    factories.invoice(made, key="a" * 32, title="RE-4711 Nordic Paper Oy", reference="RE-4711", **failed)
    factories.invoice(
        made, key="b" * 32, title="RE-4712 Kiruna Stål", amount=Decimal("81204"), currency="SEK", **failed
    )
    posted = factories.invoice(made, key="c" * 32, title="RE-4000 posted", status="done", source=INVOICE)
    PostedDocument.objects.create(
        integration=made, record=posted, company="c", entity_set="PurchaseInvoices", doc_entry=1, doc_num=1,
        invoice_id="c" * 32, card_code="V10000", num_at_card="RE-4000",
    )  # fmt: skip
    return made


@pytest.fixture
def address(context: BrowserContext, site: str, integration: Integration) -> str:
    """The bench of invoices, opened by the owner."""
    sign_in(context, site, integration, "owner")
    return f"{site}/o/nordic-paper/integrations/{integration.pk}/mappings/invoices/"


def sign_in(context: BrowserContext, site: str, integration: Integration, role: str) -> None:
    client = Client()
    member = factories.member(integration.organization, role)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])


def rule(page: Page, target: str) -> Any:
    return page.locator("[data-rule]").filter(has=page.locator(f"input[value='{target}']"))


@pytest.mark.parametrize("size", SIZES)
def test_the_bench_fits_and_stays_quiet(
    page: Page, address: str, complaints: list[str], shot: Callable[[str], None], size: str
) -> None:
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]  # a size
    page.goto(address)
    page.locator("#waiting").scroll_into_view_if_needed()
    expect(page.get_by_text("81,204.00 SEK")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    shot(f"bench-{size}")
    assert complaints == []


def test_a_clicked_value_becomes_the_source_of_the_rule_and_shows_its_output(
    page: Page, address: str, complaints: list[str], shot: Callable[[str], None]
) -> None:
    page.set_viewport_size(SIZES["desk"])  # type: ignore[arg-type]  # a size
    page.goto(address)
    row = rule(page, "Comments")
    expect(row.locator(".made-value")).to_have_text("Paper for May")
    row.get_by_label("Field of the source").click()
    page.locator("[data-path='supplierName']").click()
    expect(row.get_by_label("Field of the source")).to_have_value("supplierName")
    expect(row.locator(".made-value")).to_have_text("Nordic <b>Paper</b> Oy")
    expect(row).to_contain_text("by the rule")
    shot("bench-picked")
    assert complaints == []


def test_a_row_of_the_table_is_added_from_what_waits_and_is_told_as_the_maker(
    page: Page, address: str, complaints: list[str]
) -> None:
    page.set_viewport_size(SIZES["desk"])  # type: ignore[arg-type]  # a size
    page.goto(address)
    row = rule(page, "DocumentLines[].VatGroup")
    expect(row).to_contain_text("V25 is not in table tax_codes")
    page.locator("#waiting").scroll_into_view_if_needed()
    page.get_by_role("button", name="Add to table").first.click()
    page.keyboard.type("S1")
    expect(row).to_contain_text("by row V25 of table tax_codes")
    assert complaints == []


def test_columns_pasted_from_a_spreadsheet_become_rows_of_the_grid(page: Page, address: str) -> None:
    page.goto(address)
    cell = page.locator("[data-lookup] .grid input").first
    cell.focus()
    cell.evaluate(
        """field => {
             const data = new DataTransfer();
             data.setData("text", "30\\tN30\\r\\n14\\tN14\\r\\n");
             field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
           }"""
    )
    area = page.locator("[data-lookup] textarea").first
    assert area.input_value() == "30\tN30\n14\tN14"
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("come out differently").first).to_be_visible()


def test_what_changes_a_posted_invoice_is_shown_and_needs_a_named_yes(
    page: Page, address: str, complaints: list[str], shot: Callable[[str], None]
) -> None:
    page.set_viewport_size(SIZES["desk"])  # type: ignore[arg-type]  # a size
    page.goto(address)
    page.get_by_label("Name of the case").fill("May")
    page.get_by_role("button", name="Keep this output as a case").click()
    expect(page.get_by_text("Kept as the case May")).to_be_visible()
    rule(page, "Comments").get_by_label("Field of the source").fill("supplierName")
    expect(page.get_by_text("1 of 1 come out differently")).to_be_visible()
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("link", name="RE-4000 posted")).to_be_visible()
    shot("bench-differences")
    complaints.clear()  # the console reports the 400 that was the point
    page.get_by_role("checkbox", name="Yes. I, owner@").check()
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    page.goto(f"{address}?version=0")
    expect(page.get_by_role("heading", name="What has changed since")).to_be_visible()
    shot("bench-versions")
    assert MappingCase.objects.get().name == "May"
    assert complaints == []


def submit(page: Page, button: str) -> None:
    """By the keyboard: a click that falls into the closing of a field's list of suggestions is lost. Then wait for the
    whole answer: what is filled while a page is still arriving may be lost too.
    """
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=button).press("Enter")


def test_without_javascript_rules_are_tried_added_and_saved(browser: Any, site: str, integration: Integration) -> None:
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, site, integration, "admin")
    page = context.new_page()
    page.goto(f"{site}/o/nordic-paper/integrations/{integration.pk}/mappings/invoices/")
    page.get_by_label("Fill another field").select_option("Reference1")
    submit(page, "Add a rule")
    added = rule(page, "Reference1")
    added.get_by_label("Field of the source").fill("referenceNumber")
    page.get_by_label("Another one").fill("RE-4711")
    submit(page, "Use it")
    expect(rule(page, "Reference1")).to_contain_text("No value: left out")
    submit(page, "Save as a new version")
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    assert FieldMapping.objects.get().rules[-1] == {"target": "Reference1", "source": "referenceNumber"}
    context.close()
