"""Vendors as default-mapping.md has them, sentence by sentence; held changes are in test_bank_changes.py."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from syncengine.flows.master import ReadWindow
from syncengine.flows.vendors import Vendors
from tests.flows.contract import MasterDataContract, Record, body, build
from tests.flows.world import FakeSap, address, bank_account, context, vendor

FLOW = Vendors()


class TestVendorsKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [
        vendor(),
        vendor(CardCode="V-2", CardName="", BPAddresses=[], BPBankAccounts=[], EmailAddress=None, Phone1=None),
        vendor(CardCode="V30000000000003", Currency="##", BPAddresses=[address(RowNum=0), address(RowNum=1)]),
        vendor(CardCode="V4", FederalTaxID=None, PayTermsGrpCode=None, BPBankAccounts=None, BPAddresses=None),
    ]

    def is_closed(self, sent: Record) -> bool:
        return sent["processingStatus"]["active"] is False


def test_a_vendor_goes_field_by_field():
    assert body(FLOW, vendor()) == {
        "externalCode": "1000-V-V10012",
        "vendorCode": "V10012",
        "name": "Nordic Paper Oy",
        "sourceSystem": "SAPB1",
        "identifiers": [{"schemeId": "VATRegistrationId", "id": "FI12345678"}],
        "addresses": [
            {
                "externalCode": "1000-A-V10012/B/0",
                "addressType": "PostalAddress",
                "default": True,
                "name": "Head office",
                "streetName": "Tehtaankatu 1",
                "postalZone": "00140",
                "cityName": "Helsinki",
                "countryId": "FI",
            }
        ],
        "contacts": [
            {
                "name": "Nordic Paper Oy",
                "email": "ar@nordicpaper.example",
                "telephone": "+358 9 1234",
                "role": "PrimaryContact",
            }
        ],
        "paymentTerms": {"paymentTermCode": "3"},
        "paymentMeans": [
            {
                "paymentMeansCode": "BT",
                "default": True,
                "currencyCode": "EUR",
                "financialAccounts": [
                    {
                        "financialInstitution": {"name": "Nordea", "id": "NDEAFIHH", "schemeId": "BIC"},
                        "financialAccountIdentifiers": [
                            {"schemeId": "IBAN", "id": "FI2112345600000785", "default": True}
                        ],
                    }
                ],
            }
        ],
        "orderingDetails": {"orderingFormat": "none"},
        "processingStatus": {"active": True, "paymentDenied": False},
        "companies": [{"companyCode": "1000", "inheritToChildUnits": True}],
    }


def test_a_vendor_with_nothing_filled_goes_with_what_is_required():
    bare = dict.fromkeys(vendor()) | {"CardCode": "V1", "CardType": "cSupplier"}
    assert body(FLOW, bare) == {
        "externalCode": "1000-V-V1",
        "vendorCode": "V1",
        "name": "V1",
        "sourceSystem": "SAPB1",
        "paymentMeans": [{"paymentMeansCode": "BT", "default": True}],
        "orderingDetails": {"orderingFormat": "none"},
        "processingStatus": {"active": True, "paymentDenied": False},
        "companies": [{"companyCode": "1000", "inheritToChildUnits": True}],
    }


def test_settings_name_the_source_system_the_tax_scheme_and_the_payment_means():
    settings = {"source_system": "SAPFI", "vat_scheme_id": "PartyId", "payment_means_code": "58"}
    sent = body(FLOW, vendor(), context(settings=settings))
    assert sent["sourceSystem"] == "SAPFI"
    assert sent["identifiers"][0]["schemeId"] == "PartyId"
    assert sent["paymentMeans"][0]["paymentMeansCode"] == "58"


# Addresses


def test_every_address_goes_and_the_first_bill_to_is_the_default():
    entries = [
        address(AddressType="bo_ShipTo", AddressName="Dock", RowNum=0),
        address(RowNum=1),
        address(AddressName="Old office", RowNum=2),
    ]
    sent = body(FLOW, vendor(BPAddresses=entries))["addresses"]
    assert [(one["addressType"], one["name"], one["default"]) for one in sent] == [
        ("DeliveryAddress", "Dock", False),
        ("PostalAddress", "Head office", True),
        ("PostalAddress", "Old office", False),
    ]
    assert [one["externalCode"] for one in sent] == ["1000-A-V10012/S/0", "1000-A-V10012/B/1", "1000-A-V10012/B/2"]


@pytest.mark.parametrize(("kind", "name"), [("bo_BillTo", "PostalAddress"), ("bo_ShipTo", "DeliveryAddress")])
def test_an_address_without_a_name_is_named_by_its_type(kind: str, name: str):
    assert body(FLOW, vendor(BPAddresses=[address(AddressType=kind, AddressName="")]))["addresses"][0]["name"] == name


def test_what_exceeds_fifty_characters_of_the_street_goes_into_the_additional_fields():
    street = "Very Long Industrial Estate Road Number Seventeen and a Half"
    sent = body(FLOW, vendor(BPAddresses=[address(Street=street, StreetNo="9 B")]))["addresses"][0]
    assert sent["streetName"] == "Very Long Industrial Estate Road Number Seventeen"
    assert sent["additionalAddressFields"] == [{"key": "AdditionalStreetName", "value": "and a Half 9 B"}]


@pytest.mark.parametrize(
    ("country", "sent"), [("FI", "FI"), ("fi", "FI"), ("FIN", None), ("F1", None), ("", None), (None, None)]
)
def test_a_country_goes_only_if_it_has_two_letters(country: str | None, sent: str | None):
    assert body(FLOW, vendor(BPAddresses=[address(Country=country)]))["addresses"][0].get("countryId") == sent


def test_the_state_goes_as_sub_entity():
    assert body(FLOW, vendor(BPAddresses=[address(State="NY")]))["addresses"][0]["countrySubEntity"] == "NY"


def test_a_city_too_long_is_cut_and_flagged():
    built = build(FLOW, vendor(BPAddresses=[address(City="x" * 51)]))
    assert built.payload["record"][0]["addresses"][0]["cityName"] == "x" * 50
    assert built.flags == {"text_cut"}
    assert not built.problems


def test_an_address_without_a_row_number_is_told_apart_by_its_place():
    entries = [address(RowNum=None), address(RowNum=None)]
    codes = [one["externalCode"] for one in body(FLOW, vendor(BPAddresses=entries))["addresses"]]
    assert codes == ["1000-A-V10012/B/0", "1000-A-V10012/B/1"]


# Contacts, terms, payment means


@pytest.mark.parametrize(
    ("changed", "contact"),
    [
        ({"Phone1": None}, {"email": "ar@nordicpaper.example"}),
        ({"EmailAddress": " "}, {"telephone": "+358 9 1234"}),
    ],
)
def test_a_contact_goes_with_what_is_set(changed: Record, contact: Record):
    (sent,) = body(FLOW, vendor(**changed))["contacts"]
    assert sent == {"name": "Nordic Paper Oy", "role": "PrimaryContact", **contact}


def test_no_contact_goes_without_a_way_to_reach_it():
    assert "contacts" not in body(FLOW, vendor(EmailAddress="", Phone1=None))


def test_the_cash_term_of_group_minus_one_goes_as_text():
    sent = body(FLOW, vendor(PayTermsGrpCode=-1))
    assert sent["paymentTerms"] == {"paymentTermCode": "-1"}


def test_a_vendor_depends_on_its_payment_term():
    assert FLOW.dependencies(build(FLOW, vendor()).payload) == [("payment_terms", "3")]
    assert FLOW.dependencies(build(FLOW, vendor(PayTermsGrpCode=None)).payload) == []


@pytest.mark.parametrize(
    ("currency", "iso"),
    [("EUR", "EUR"), ("$", "USD"), ("##", None), ("", None), (None, None), ("SEK", "SEK"), ("€€", None)],
)
def test_currencies_go_by_their_international_code(currency: str | None, iso: str | None):
    assert body(FLOW, vendor(Currency=currency))["paymentMeans"][0].get("currencyCode") == iso


def accounts(*entries: Record) -> list[Record]:
    return body(FLOW, vendor(BPBankAccounts=list(entries)))["paymentMeans"][0].get("financialAccounts", [])


def numbers(*entries: Record) -> list[tuple[str, str, bool]]:
    identifiers = [account["financialAccountIdentifiers"][0] for account in accounts(*entries)]
    return [(one["schemeId"], one["id"], one["default"]) for one in identifiers]


def test_an_account_without_iban_goes_by_its_number():
    assert numbers(bank_account(IBAN=None)) == [("BBAN", "12345600000785", True)]


def test_the_same_account_goes_once_however_it_is_written():
    same = bank_account(InternalKey=78, IBAN="FI2112345600000785", BankCode="Other")
    assert numbers(bank_account(), same) == [("IBAN", "FI2112345600000785", True)]


def test_the_same_account_as_iban_and_as_number_goes_once_since_basware_wants_each_to_be_unique():
    """Many companies keep the IBAN in both fields of SAP (contracts: SAP §8.1, Basware §13)."""
    as_number = bank_account(IBAN=None, AccountNo="fi21 1234 5600 0007 85")
    assert numbers(bank_account(), as_number) == [("IBAN", "FI2112345600000785", True)]


def test_several_accounts_go_and_the_first_is_the_default():
    other = bank_account(IBAN="SE45 5000 0000 0583 9825 7466")
    assert numbers(bank_account(), other) == [
        ("IBAN", "FI2112345600000785", True),
        ("IBAN", "SE4550000000058398257466", False),
    ]


def test_an_entry_without_any_number_is_no_account():
    assert accounts(bank_account(IBAN="", AccountNo=None)) == []


@pytest.mark.parametrize(
    ("changed", "institution"),
    [
        ({}, {"name": "Nordea", "id": "NDEAFIHH", "schemeId": "BIC"}),
        ({"BankCode": None}, {"name": "NDEAFIHH", "id": "NDEAFIHH", "schemeId": "BIC"}),
        ({"BICSwiftCode": None}, None),
    ],
)
def test_an_institution_goes_only_with_a_bic(changed: Record, institution: Record | None):
    assert accounts(bank_account(**changed))[0].get("financialInstitution") == institution


# Status and reading


@pytest.mark.parametrize(
    ("changed", "active"),
    [
        ({}, True),
        ({"Valid": "tNO"}, True),
        ({"Frozen": "tYES"}, False),
        ({"Frozen": "tYES", "FrozenFrom": "2026-12-01"}, True),
        ({"Valid": "tYES", "ValidTo": "2026-11-19"}, False),
        ({"Valid": "tYES", "ValidFrom": "2026-11-21"}, False),
    ],
)
def test_a_vendor_is_active_when_it_is_usable_today(changed: Record, active: bool):
    assert body(FLOW, vendor(**changed))["processingStatus"]["active"] is active


def test_a_payment_block_denies_payment():
    assert body(FLOW, vendor(PaymentBlock="tYES"))["processingStatus"]["paymentDenied"] is True


@pytest.mark.parametrize("kind", ["cCustomer", "cLid"])
def test_only_suppliers_are_in_scope(kind: str):
    assert not FLOW.in_scope(vendor(CardType=kind), context())


def read(sap: FakeSap, window: ReadWindow) -> list[str]:
    return [record["CardCode"] for page in FLOW.pages(sap, window, context()) for record in page.records]


PARTNERS = [
    vendor(CardCode="V1", UpdateDate="2026-11-01"),
    vendor(CardCode="V2", UpdateDate="2026-11-19"),
    vendor(CardCode="V3", UpdateDate=None, CreateDate="2026-11-19"),
    vendor(CardCode="V4", UpdateDate="2026-11-19", CardType="cCustomer"),
    vendor(CardCode="C5", UpdateDate="2026-01-01", CardType="cCustomer"),
]


def test_a_full_read_asks_for_suppliers_only():
    sap = FakeSap(BusinessPartners=PARTNERS)
    assert read(sap, ReadWindow()) == ["V1", "V2", "V3"]


def test_an_incremental_read_also_finds_a_supplier_turned_customer():
    sap = FakeSap(BusinessPartners=PARTNERS)
    assert read(sap, ReadWindow("incremental", date(2026, 11, 18))) == ["V2", "V3", "V4"]
    assert sap.asked == [("BusinessPartners", "UpdateDate ge '2026-11-18' or CreateDate ge '2026-11-18'")]


def test_an_incremental_read_without_a_watermark_reads_all():
    assert read(FakeSap(BusinessPartners=PARTNERS), ReadWindow("incremental")) == ["V1", "V2", "V3"]


def test_a_page_tells_the_newest_stamp_of_the_server():
    (page,) = FLOW.pages(FakeSap(BusinessPartners=PARTNERS), ReadWindow(), context())
    assert page.server_date == date(2026, 11, 19)


def test_two_hundred_vendors_come_in_a_page():
    sap = FakeSap(BusinessPartners=[vendor(CardCode=f"V{number:05}") for number in range(401)])
    assert [len(page.records) for page in FLOW.pages(sap, ReadWindow(), context())] == [200, 200, 1]


def test_only_fields_that_are_needed_are_asked_for():
    sap = FakeSap(BusinessPartners=[vendor(Notes="long story")])
    (page,) = FLOW.pages(sap, ReadWindow(), context())
    assert "Notes" not in page.records[0]


def test_a_vendor_is_found_by_its_tax_number():
    assert FLOW.search_terms(vendor()) == "FI12345678"
    assert FLOW.label(vendor()) == "V10012 Nordic Paper Oy"


def test_windows_are_edges():
    assert FLOW.edges(vendor(FrozenFrom="2026-12-01", FrozenTo="2026-12-31")) == [date(2026, 12, 1), date(2027, 1, 1)]


def test_a_vendor_that_left_is_closed_whatever_its_mapping_sent():
    last: dict[str, Any] = {"record": [{"externalCode": "1000-V-V1"}]}
    assert FLOW.left(last, context())["record"][0]["processingStatus"] == {"active": False}
