"""What a customer may set for one integration: the settings of default-mapping.md with their defaults.

The REST API shows them as `settings`; unknown keys and wrong types are refused with the field's name.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from syncengine.connectors.basware.lists import LISTS

Codes = Annotated[list[Annotated[str, Field(min_length=1, max_length=25)]], Field(max_length=200)]

OptionalFlows = Annotated[
    list[Literal["invoice_images", "exchange_rates", "distribution_rules", "generic_lists"]], Field(max_length=10)
]
_LIST = "|".join(LISTS)
LIST_SOURCE = re.compile(rf"({_LIST})=(\w+)/(\w+(?:/\w+)+)(?:\?(.{{1,300}}))?", re.ASCII)
DIMENSION_LIST = re.compile(rf"[1-5]=({_LIST})", re.ASCII)
Lines = Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=60)]


class FlowSettings(BaseModel):
    """One integration's settings; every default is the one of default-mapping.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    # General
    time_zone: str = Field("UTC", description="The company's time zone: decides which day is today.")
    source_system: str = Field(
        "SAPB1", min_length=1, max_length=36, description="Name of this SAP company in Basware; distinct for each."
    )
    sap_document_link: str = Field(
        "",
        max_length=500,
        description="Address of an invoice in SAP's web client, with {DocEntry} or {DocNum} in it; empty: no link.",
    )
    basware_document_link: str = Field(
        "", max_length=500, description="Address of an invoice in Basware, with {invoiceId} in it; empty: no link."
    )

    # Master data
    distribution_rules: bool = Field(False, description="Send distribution rules as cost centers too.")
    vat_scheme_id: str = Field(
        "VATRegistrationId", min_length=1, max_length=32, description="Scheme of the vendor's tax number in Basware."
    )
    payment_means_code: str = Field(
        "BT", min_length=1, max_length=25, description="Code of the vendor's payment means."
    )
    hold_bank_changes: bool = Field(True, description="A vendor's changed bank account waits for an admin's yes.")
    matching: Literal["receipt", "order"] = Field(
        "receipt", description="What invoices of item orders are matched with."
    )

    # Invoices
    credit_note_types: Codes = Field(default_factory=list, description="Invoice type codes that are credit notes.")
    invoice_types: Codes = Field(default_factory=list, description="Invoice type codes that are never credit notes.")
    allow_zero_total: bool = Field(False, description="Post invoices whose gross sum is 0.")
    locked_period: Literal["problem", "next_open_day"] = Field(
        "problem", description="What happens when the posting date lies in a locked period."
    )
    allow_unusual_dates: bool = Field(
        False, description="Post although the posting date is before the invoice date or over 31 days ahead."
    )
    foreign_amount_field: Literal["UnitPrice", "RowTotalFC"] = Field(
        "UnitPrice", description="Line field that carries the amount of a row without an order in foreign currency."
    )
    withholding_tax: Literal["problem", "sap", "none"] = Field(
        "problem", description="Vendors subject to withholding tax: a problem, computed by SAP, or not deducted."
    )
    allow_unlinked_returns: bool = Field(False, description="Post credit notes for returned goods without a link.")
    post_from_failed: bool = Field(
        True, description="A replay may post a document that Basware shows as TransferFailed."
    )

    # Payments
    payment_lookback_days: int = Field(
        45, ge=1, le=400, description="Payments of this many days are read again, to see cancellations."
    )
    settle_with_discount: bool = Field(
        True, description="Count discount and withholding as paid once nothing is open in SAP."
    )

    # Beyond the nine flows
    optional_flows: OptionalFlows = Field(
        default_factory=list, description="Flows beyond the nine that this integration runs: none unless chosen."
    )
    exchange_rate_days: int = Field(3, ge=1, le=31, description="Exchange rates of this many days are sent.")
    exchange_rate_quotation: Literal["company", "direct", "indirect"] = Field(
        "company", description="How SAP's rate table is to be read: as the company says, or as said here."
    )
    dimension_lists: Lines = Field(
        default_factory=list, description="Dimension and list of its distribution rules, such as 2=ACC_LIST_1."
    )
    list_sources: Lines = Field(
        default_factory=list,
        description="List and what fills it, such as ACC_LIST_3=Warehouses/WarehouseCode/WarehouseName.",
    )
    attachment_confidential: bool = Field(False, description="Link attachments too that Basware marks as confidential.")
    attachment_max_mb: int = Field(20, ge=1, le=45, description="Largest attachment that is linked, in MB.")
    attachment_max_files: int = Field(20, ge=1, le=100, description="Most attachments of one invoice that are linked.")

    @field_validator("sap_document_link", "basware_document_link")
    @classmethod
    def _web_address(cls, value: str) -> str:
        address = urlsplit(value.strip())
        if value.strip() and (address.scheme not in {"http", "https"} or not address.netloc or "{" in address.netloc):
            raise ValueError("Enter a whole address that starts with https://, its places after the host.")
        return value.strip()

    @field_validator("dimension_lists", "list_sources")
    @classmethod
    def _lists_once(cls, value: list[str], info: ValidationInfo) -> list[str]:
        known = DIMENSION_LIST if info.field_name == "dimension_lists" else LIST_SOURCE
        found = [known.fullmatch(line) for line in value]
        if not all(found):
            raise ValueError("Name a list of Basware, =, and what fills it, as in the example.")
        keys = [match[1] for match in found if match]
        if len(set(keys)) < len(keys):
            raise ValueError("Name each list once.")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"{value!r} is no time zone; use a name like Europe/Helsinki") from error
        return value

    def today(self, now: datetime) -> date:
        """The calendar date in the company's time zone at `now` (aware)."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()
