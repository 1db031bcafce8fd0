"""What keeps an invoice from being posted twice, across integrations that share a SAP company."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from syncengine.models.record import Record
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class PostedDocument(ScopedModel):
    """One SAP document belongs to one Basware invoice. `company` is service root and company database."""

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
    cancelled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "entity_set", "doc_entry"], name="one_invoice_per_document")
        ]
        indexes = [models.Index(fields=["integration", "entity_set", "doc_entry"], name="posted_by_entry")]

    def __str__(self) -> str:
        return f"{self.entity_set}({self.doc_entry})"


class PostingLock(models.Model):
    """Lease on (service root, company database, CardCode, normalised NumAtCard), whatever the integration.

    `name` is the SHA-256 of the four. Not scoped to an organization on purpose: two of them may share a company.
    """

    name = models.CharField(max_length=64, primary_key=True)
    owner = models.CharField(max_length=80)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
