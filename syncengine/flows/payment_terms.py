"""Payment terms: PaymentTermsTypes → /v1/paymentTerms (default-mapping.md, "payment_terms")."""

from __future__ import annotations

from typing import Any

from syncengine.flows.company import FlowContext
from syncengine.flows.master import MasterDataFlow, Part, Source, rule
from syncengine.flows.values import FIRST_DAY, LAST_DAY, names, number, title
from syncengine.mapping.text import as_text

MOST_MONTH_ENDS = 12


def due_date(term: Source) -> dict[str, int] | None:
    """Basware's due date fields for a term of SAP's; None when Basware cannot express it (contracts: Basware §7).

    StartFrom says from where the days count, EndAt (where a company uses it) to where the result is moved.
    """
    start, end = term.get("StartFrom") or "pdt_None", term.get("EndAt") or "pdt_None"
    months, days = int(number(term.get("NumberOfAdditionalMonths"))), int(number(term.get("NumberOfAdditionalDays")))
    if days < 0 or end != "pdt_None" or number(term.get("NumberOfInstallments")) > 1:
        return None
    if start == "pdt_None" and months == 0:
        return {"dueDateDays": days, "dueDateEom": 0}
    if start not in {"pdt_MonthEnd", "pdt_MonthStart"} or not 0 <= months < MOST_MONTH_ENDS:
        return None
    # The first of a month is the day after a month end.
    first_day = 1 if start == "pdt_MonthStart" else 0
    return {"dueDateDays": 0, "dueDateEom": months + 1, "dueDateDays2": days + first_day}


class PaymentTerms(MasterDataFlow):
    """SAP's payment terms; a due date that Basware cannot compute is typed there by hand, and noted."""

    name = "payment_terms"
    title = "Payment terms"
    position = 10
    entity_set = "PaymentTermsTypes"
    key_field = "GroupNumber"
    select = (
        "GroupNumber",
        "PaymentTermsGroupName",
        "StartFrom",
        "EndAt",
        "NumberOfAdditionalMonths",
        "NumberOfAdditionalDays",
        "NumberOfInstallments",
        "DiscountCode",
    )
    prefix = "PT"
    parts = (Part("record", "paymentTerms"),)
    resend_field = "paymentTermNames"

    def default_rules(self) -> list[dict[str, Any]]:
        return [
            rule("externalCode", "derived.externalCode", required=True),
            rule("paymentTermCode", "GroupNumber", required=True),
            rule("paymentTermNames", "derived.names", required=True),
            rule("validFrom", f"'{FIRST_DAY}'", required=True),
            rule("validTo", f"'{LAST_DAY}'", required=True),
            rule("dueDateCalc", "derived.dueDateCalc"),
            rule("dueDateDays", "derived.dueDateDays"),
            rule("dueDateEom", "derived.dueDateEom"),
            rule("dueDateDays2", "derived.dueDateDays2"),
            rule("moveDueDatesTo", "'0'"),
            rule("cashDueDateCalc", "`0`"),
            rule("companies", "derived.companies", required=True),
        ]

    def label(self, source: Source) -> str:
        return title(source["GroupNumber"], source.get("PaymentTermsGroupName"))

    def in_scope(self, source: Source, ctx: FlowContext) -> bool:
        return True

    def derive(self, source: Source, ctx: FlowContext) -> dict[str, Any]:
        due, notes = due_date(source), []
        if due is None:
            notes.append("Basware cannot compute this term's due date: it is typed there by hand")
        if as_text(source.get("DiscountCode")):
            notes.append(f"the cash discount {as_text(source['DiscountCode'])} is not sent to Basware")
        return {
            "names": names(source["GroupNumber"], source.get("PaymentTermsGroupName")),
            "companies": [{"companyCode": ctx.company, "inherit": True, "active": True}],
            "dueDateCalc": 0 if due is None else 1,
            **(due or {}),
            "notes": notes,
        }
