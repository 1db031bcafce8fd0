"""P2P's own checks, made after the 200: references, configuration, business rules (contracts: Basware §3.8, §18)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.basware.catalog import BY_ENTITY_TYPE
from syncengine.sandbox.basware.p2p import Body, P2PState, order_identity

ERROR, WARNING = "Error", "Warning"
LIST_LIMITS = (
    # list, last number it holds for, text columns, text length, number columns, date columns (contracts: Basware §12)
    ("ACC_LIST", 10, 5, 250, 3, 0),
    ("ACC_LIST", 20, 5, 50, 3, 0),
    ("ACC_LIST", 30, 10, 250, 5, 5),
    ("ACC_LIST", 35, 25, 250, 10, 10),
    ("INV_LIST", 10, 5, 250, 0, 0),
    ("INV_LIST", 20, 10, 250, 5, 5),
    ("CUST_RESOLVER", 5, 15, 250, 15, 15),
)
CURRENCY = re.compile(r"[A-Z]{3}")
P2P_ACCOUNT_LENGTH = 32
MOST_MONTH_ENDS = 12


@dataclass(frozen=True)
class Finding:
    """One line under an item of requestStatus."""

    type: str
    message: str
    category: str = "DataValidation"

    def as_dict(self) -> dict[str, str]:
        return {"type": self.type, "message": self.message, "category": self.category}


@dataclass(frozen=True)
class Posted:
    """A record as P2P receives it from the API layer."""

    entity_type: str
    collection: str
    body: Body
    list_key: str | None = None


Rule = Callable[[Posted, P2PState], Iterator[Finding]]


def judge(posted: Posted, p2p: P2PState) -> list[Finding]:
    """Everything that is wrong with the record; nothing is saved if one of the findings is an Error."""
    return [finding for rule in (*COMMON_RULES, *RULES.get(posted.entity_type, ())) for finding in rule(posted, p2p)]


def as_saved(posted: Posted, p2p: P2PState) -> Body:
    """The record without what a Warning said was left out."""
    identifiers = posted.body.get("identifiers")
    if posted.entity_type != "Vendor" or not identifiers:
        return posted.body
    known = [entry for entry in identifiers if p2p.knows_scheme(entry["schemeId"])]
    return posted.body if len(known) == len(identifiers) else {**posted.body, "identifiers": known}


def _error(message: str) -> Finding:
    return Finding(ERROR, message)


def _companies(body: Body) -> list[str]:
    if "companyCode" in body:
        return [body["companyCode"]]
    return [row["companyCode"] for row in body.get("companies", [])]


def _known_companies(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    for company in _companies(posted.body):
        if not p2p.knows_company(company):
            yield _error(f"Company {company} not found.")


def _english_name(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    field = BY_ENTITY_TYPE[posted.entity_type].names_field
    if field and all(name["language"] != "en-US" for name in posted.body[field]):
        yield _error(f"{field} must hold a translation for en-US.")


def _code_unique_in_company(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    field = BY_ENTITY_TYPE[posted.entity_type].code_field
    if field is None:
        return
    code, companies = posted.body[field], set(_companies(posted.body))
    for other in p2p.with_code(posted.entity_type, code):
        if other["externalCode"] != posted.body["externalCode"] and companies & set(_companies(other)):
            yield _error(f"{field} {code} exists already under another external code.")
            return


def _term_modes(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    body = posted.body
    for field, allowed in (("dueDateCalc", (0, 1)), ("cashDueDateCalc", (0, 1, 2))):
        if body.get(field, 0) not in allowed:
            yield _error(f"{field} must be one of {', '.join(map(str, allowed))}.")
    for field in ("dueDateEom", "cashDueDateEom"):
        if body.get(field, 0) > MOST_MONTH_ENDS:
            yield _error(f"{field} must be from 0 to {MOST_MONTH_ENDS}.")
    if body.get("paymentTermDiscountRules") and body.get("cashDueDateCalc") != 2:
        yield _error("paymentTermDiscountRules need cashDueDateCalc 2.")


def _list_columns(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    name, _, position = str(posted.list_key).rpartition("_")
    limits = next(row[2:] for row in LIST_LIMITS if row[0] == name and int(position) <= row[1])
    texts, longest, numbers, dates = limits
    columns = {"text": texts, "number": numbers, "dateValue": dates}
    for field, value in posted.body.items():
        stem, _, column = field.rpartition("_")
        if stem in columns and int(column) > columns[stem]:
            yield _error(f"{posted.list_key} has no column {field}.")
        elif stem == "text" and len(value) > longest:
            yield _error(f"{field} of {posted.list_key} holds {longest} characters.")


def _vendor_payment_term(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    term = posted.body.get("paymentTerms")
    if term is None:
        return
    found = list(p2p.with_code("PaymentTerm", term["paymentTermCode"]))
    for company in _companies(posted.body):
        if not any(p2p.visible(body, company) for body in found):
            yield _error(f"Payment term {term['paymentTermCode']} not found.")
            return


def _vendor_identifiers(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    for identifier in posted.body.get("identifiers", []):
        if not p2p.knows_scheme(identifier["schemeId"]):
            yield Finding(WARNING, f"Identifier type {identifier['schemeId']} is not configured; identifier skipped.")


def _vendor_contacts(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    for name in _repeated(contact["name"] for contact in posted.body.get("contacts", [])):
        yield _error(f"Contact name {name} is not unique.")


def _vendor_bank_accounts(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    numbers = []
    for means in posted.body.get("paymentMeans", []):
        if "currencyCode" in means and not CURRENCY.fullmatch(means["currencyCode"]):
            yield _error(f"Currency {means['currencyCode']} is not active.")
        for account in means.get("financialAccounts", []):
            numbers += [entry["id"] for entry in account.get("financialAccountIdentifiers", []) if entry.get("id")]
    for number in _repeated(numbers):
        yield _error(f"Bank account {_masked(number)} is not unique.")
    for number in numbers:
        if len(number) > P2P_ACCOUNT_LENGTH:
            yield _error(f"Bank account {_masked(number)} is longer than {P2P_ACCOUNT_LENGTH} characters.")


def _order_references(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    body = posted.body
    vendors = p2p.with_code("Vendor", body["supplierCode"])
    if not any(p2p.visible(vendor, body["companyCode"]) for vendor in vendors):
        yield _error(f"Supplier {body['supplierCode']} not found.")
    if not p2p.knows_company(body["organizationElementCode"]):
        yield _error(f"Organization element {body['organizationElementCode']} not found.")
    if not CURRENCY.fullmatch(body["currencyCode"]):
        yield _error(f"Currency {body['currencyCode']} is not active.")
    for other in p2p.with_code("MatchingOrder", order_identity(body)):
        if other["externalCode"] != body["externalCode"]:
            yield _error(f"Order {body['orderNumber']} exists already under another external code.")


def _line_header(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    if p2p.get("matchingOrders", posted.body["orderExternalCode"]) is None:
        yield _error(f"Order {posted.body['orderExternalCode']} not found.")


def _line_amounts(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    body = posted.body
    if body["quantity"] <= 0:
        yield _error("quantity must be greater than 0.")
    if all(body.get(field) is None for field in ("netSum", "grossSum", "netPrice", "grossPrice")):
        yield _error("Net or gross amounts are needed.")
    for receipt in body.get("goodsReceipts", []):
        if all(receipt.get(field) is None for field in ("netPrice", "grossPrice")):
            yield _error(f"Goods receipt {receipt['goodsReceiptNumber']} has no price.")


def _line_mode(posted: Posted, p2p: P2PState) -> Iterator[Finding]:
    body, mode = posted.body, posted.body["matchingMode"]
    if mode in {"Blanket", "Service"} and body["quantity"] != 1:
        yield _error(f"quantity must be 1 in matching mode {mode}.")
    if mode == "Blanket" and body.get("isReceiptRequired"):
        yield _error("isReceiptRequired must not be true in matching mode Blanket.")
    if mode == "Service" and not (body.get("isReceiptRequired") and body.get("isReceiptBasedMatching")):
        yield _error("isReceiptRequired and isReceiptBasedMatching must be true in matching mode Service.")
    if mode == "Service" and body.get("orderLineCoding"):
        yield _error("Coding belongs on the receipt in matching mode Service.")
    if mode != "Service" and any(receipt.get("receiptCoding") for receipt in body.get("goodsReceipts", [])):
        yield _error(f"receiptCoding is not allowed in matching mode {mode}.")


def _repeated(values: Any) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def _masked(number: str) -> str:
    return f"…{number[-4:]}"


COMMON_RULES: tuple[Rule, ...] = (_known_companies, _english_name, _code_unique_in_company)
RULES: dict[str, tuple[Rule, ...]] = {
    "PaymentTerm": (_term_modes,),
    "GenericList": (_list_columns,),
    "Vendor": (_vendor_payment_term, _vendor_identifiers, _vendor_contacts, _vendor_bank_accounts),
    "MatchingOrder": (_order_references,),
    "MatchingOrderLine": (_line_header, _line_amounts, _line_mode),
}
