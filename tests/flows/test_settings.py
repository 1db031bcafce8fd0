"""The settings of default-mapping.md with their defaults; what is unknown or wrong is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from syncengine.flows.settings import FlowSettings

ADDED = {
    "sap_document_link", "basware_document_link",
    "optional_flows", "exchange_rate_days", "exchange_rate_quotation", "dimension_lists", "list_sources",
    "attachment_confidential", "attachment_max_mb", "attachment_max_files",
}  # fmt: skip


def test_the_defaults_are_those_of_the_default_mapping():
    assert FlowSettings().model_dump(exclude=ADDED) == {
        "time_zone": "UTC",
        "source_system": "SAPB1",
        "distribution_rules": False,
        "vat_scheme_id": "VATRegistrationId",
        "payment_means_code": "BT",
        "hold_bank_changes": True,
        "matching": "receipt",
        "credit_note_types": [],
        "invoice_types": [],
        "allow_zero_total": False,
        "locked_period": "problem",
        "allow_unusual_dates": False,
        "foreign_amount_field": "UnitPrice",
        "withholding_tax": "problem",
        "allow_unlinked_returns": False,
        "post_from_failed": True,
        "payment_lookback_days": 45,
        "settle_with_discount": True,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"nosuch": 1},
        {"matching": "both"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"source_system": ""},
        {"source_system": "x" * 37},
        {"payment_means_code": "x" * 26},
        {"credit_note_types": "CRN"},
        {"credit_note_types": [""]},
        {"payment_lookback_days": 0},
        {"withholding_tax": "maybe"},
    ],
)
def test_what_is_unknown_or_wrong_is_refused_with_its_name(changed: dict[str, Any]):
    with pytest.raises(ValidationError) as caught:
        FlowSettings(**changed)
    assert caught.value.errors()[0]["loc"][0] == next(iter(changed))


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(ValidationError):
        FlowSettings().matching = "order"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("UTC", date(2026, 11, 20)),
        ("Europe/Helsinki", date(2026, 11, 21)),
        ("America/New_York", date(2026, 11, 20)),
        ("Pacific/Auckland", date(2026, 11, 21)),
    ],
)
def test_today_is_the_date_in_the_companys_time_zone(zone: str, today: date):
    assert FlowSettings(time_zone=zone).today(datetime(2026, 11, 20, 22, 30, tzinfo=UTC)) == today


def test_every_setting_says_what_it_is_for():
    assert all(field.description for field in FlowSettings.model_fields.values())
