"""Which SAP document belongs to which Basware invoice."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from syncengine.models.record import Record
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class PostedDocument(ScopedModel):
    """One SAP document belongs to one Basware invoice. `company` is service root and company database.

    `settled_at`: fully paid or closed for good, no longer watched for payments.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="posted_documents")
    record = models.ForeignKey(Record, models.PROTECT, related_name="posted_documents")
    company = models.CharField(max_length=400)
    entity_set = models.CharField(max_length=30)
    doc_entry = models.BigIntegerField()
    doc_num = models.BigIntegerField()
    invoice_id = models.CharField(max_length=36)
    card_code = models.CharField(max_length=15)
    num_at_card = models.CharField(max_length=100)
    adopted = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "entity_set", "doc_entry"], name="one_invoice_per_document")
        ]
        indexes = [
            models.Index(fields=["integration", "entity_set", "doc_entry"], name="posted_by_entry"),
            models.Index(fields=["integration", "created_at"], name="posted_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_set}({self.doc_entry})"


class UnlinkedDraw(models.Model):
    """What a posted document took from an order line without being based on it in SAP: our own balance per line."""

    document = models.ForeignKey(PostedDocument, models.CASCADE, related_name="unlinked_draws")
    order_entry = models.BigIntegerField()
    order_line = models.IntegerField()
    net = models.DecimalField(max_digits=19, decimal_places=6)

    class Meta:
        indexes = [models.Index(fields=["order_entry", "order_line"], name="draw_by_order_line")]

    def __str__(self) -> str:
        return f"{self.net} of order {self.order_entry}/{self.order_line}"
