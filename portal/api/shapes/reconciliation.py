"""Reconciliation: the period that is asked for, and the report."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from portal.api.shapes.common import AmountField, Shape
from syncengine.reconciliation.core import Outcome
from syncengine.reconciliation.payments import PaymentOutcome


class PeriodQuery(Shape):
    """`from` and `to`, both included; they cannot be written as attributes of a class."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": serializers.DateField(source="first"),
            "to": serializers.DateField(source="last"),
            "format": serializers.ChoiceField(["json", "pdf"], default="json"),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["last"] < attrs["first"]:
            raise serializers.ValidationError({"to": ["The period ends before it begins."]}, "invalid")
        return attrs


class DocumentShape(Shape):
    """A document in SAP that counts for the invoice; `total` in its own currency, before withholding tax."""

    entity_set = serializers.CharField()
    doc_entry = serializers.IntegerField()
    doc_num = serializers.IntegerField()
    total = AmountField()


class InvoiceRowShape(Shape):
    """One approved invoice; `amount` is its gross sum in Basware."""

    invoice_id = serializers.CharField()
    invoice_number = serializers.CharField()
    vendor = serializers.CharField()
    amount = AmountField()
    currency = serializers.CharField()
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    documents = DocumentShape(many=True)
    detail = serializers.CharField()


class PaymentRowShape(Shape):
    """One posted invoice of which something is paid."""

    invoice_id = serializers.CharField()
    invoice_number = serializers.CharField()
    vendor = serializers.CharField()
    currency = serializers.CharField()
    paid_in_sap = AmountField()
    paid_in_basware = AmountField()
    outcome = serializers.ChoiceField([outcome.value for outcome in PaymentOutcome])
    detail = serializers.CharField()


class AmountsField(serializers.DictField):
    """Sums by outcome, then by currency."""

    child = serializers.DictField(child=AmountField())


class InvoiceTotalsShape(Shape):
    """Counts by outcome, and their sums."""

    def get_fields(self) -> dict[str, Any]:
        return {**{outcome.value: serializers.IntegerField() for outcome in Outcome}, "amounts": AmountsField()}


class PaymentTotalsShape(Shape):
    """Counts by outcome, and the sums paid in SAP."""

    def get_fields(self) -> dict[str, Any]:
        return {**{outcome.value: serializers.IntegerField() for outcome in PaymentOutcome}, "amounts": AmountsField()}


class PaymentsShape(Shape):
    """The second section: what Basware was told of payments."""

    totals = PaymentTotalsShape()
    rows = PaymentRowShape(many=True)


class ReconciliationShape(Shape):
    """Both systems as they were at `read_at`."""

    read_at = serializers.DateTimeField()
    totals = InvoiceTotalsShape()
    rows = InvoiceRowShape(many=True)
    payments = PaymentsShape()

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), "to": serializers.DateField(), **super().get_fields()}
