"""A vendor's changed bank account waits for a named yes (default-mapping.md, "Bank changes are held")."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from syncengine.flows.company import Known, Payload
from syncengine.flows.master import Built, Held
from syncengine.flows.values import moment
from syncengine.mapping import Problem, fingerprint

HELD = "bank_change_held"
REPLACED = "vendor_replaced"

Body = dict[str, Any]


def accounts(body: Body) -> list[Body]:
    """Every bank account of a vendor, in whichever payment means it is."""
    return [account for means in body.get("paymentMeans", ()) for account in means.get("financialAccounts", ())]


def _content(found: list[Body]) -> list[str]:
    return sorted(fingerprint(account) for account in found)


def masked(account: Body) -> str:
    """The last four characters of each number and the bank: enough to recognise it, too little to use it."""
    numbers = [
        f"{item.get('schemeId', '')} •••• {item.get('id', '')[-4:]}"
        for item in account.get("financialAccountIdentifiers", ())
    ]
    bank = account.get("financialInstitution", {}).get("id", "")
    return " ".join([*numbers, bank]).strip()


def with_accounts(body: Body, confirmed: Body) -> Body:
    """The vendor as it is now with the bank accounts confirmed last."""
    kept = deepcopy(body)
    for means in kept.get("paymentMeans", ()):
        means.pop("financialAccounts", None)
    before = deepcopy(accounts(confirmed))
    if before and kept.get("paymentMeans"):
        kept["paymentMeans"][0]["financialAccounts"] = before
    elif before:
        kept["paymentMeans"] = deepcopy(confirmed["paymentMeans"])
    return kept


def hold_bank_change(payload: Payload, known: Known) -> Held:
    """Sends the vendor with its confirmed bank accounts while a change, an addition or a removal waits."""
    body, confirmed = payload["record"][0], known.confirmed["record"][0]
    if accounts(confirmed) == accounts(body):
        return Held(payload)
    old, new = _content(accounts(confirmed)), _content(accounts(body))
    mark = fingerprint([old, new])
    if old == new or mark in known.approved:
        return Held(payload)
    sides = {
        "old": [masked(account) for account in accounts(confirmed)],
        "new": [masked(account) for account in accounts(body)],
    }
    return Held(
        {"record": [with_accounts(body, confirmed)]}, frozenset({HELD}), ("approve_bank_change",), mark, (sides,)
    )


def created_as_known(code_created: Any, known: Known) -> str | None:
    """The creation date of the vendor that Basware knows by this code; SAP's own once a person has accepted it."""
    before = known.source.get("derived", {}).get("created")
    now = moment(code_created)
    if not before or before == now:
        return now
    accepted = replacement_mark(now) in known.approved or not (known.confirmed or known.sent)
    return now if accepted else before


def replacement_mark(created: str | None) -> str:
    """Names the vendor that took over a code, by its creation date."""
    return fingerprint(["created", created])


def hold_replaced_vendor(built: Built) -> Held | None:
    """A code whose creation date changed belongs to another vendor: nothing is sent until a person says so."""
    vendor = built.source
    before, now = vendor["derived"]["created"], moment(vendor.get("CreateDate"))
    if before is None or now is None or before == now:
        return None
    problem = Problem(
        "vendorCode",
        f"{vendor['CardCode']} was created on {now[:10]} in SAP, the vendor in Basware on {before[:10]}:"
        " it is another vendor",
        "Decide whether the vendor in Basware shall become this one, or be closed.",
        "needs_decision",
    )
    return Held(built.payload, frozenset({REPLACED}), ("post", "close"), replacement_mark(now), problem=problem)
