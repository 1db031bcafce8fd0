"""Who did what, when: written in the transaction of the deed, sealed in blocks, never changed.

The links of an event are plain numbers to the database: deleting a record, an integration or a whole organization must
not touch the trail, which names them by id for as long as AUDIT_DAYS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.db.models import Q

from syncengine.models import bulk
from syncengine.models.record import Record
from syncengine.models.run import Run
from tenants.encryption import SecretsField
from tenants.models import Integration, Organization
from tenants.models.scoped import ScopedModel, ScopedQuerySet

# What became of a record: the actions that the figures of a day count.
OUTCOMES = ("record.confirmed", "record.done", "record.failed")
# What nearly every record leaves; all other actions together are rare.
ROUTINE = (
    *OUTCOMES, "record.received", "record.waiting", "record.retry", "record.answered", "record.paid", "invoice.posted",
)  # fmt: skip


class AuditEventQuerySet(ScopedQuerySet["AuditEvent"]):
    """Inserts events with their digests."""

    def bulk_create(self, objs: Iterable[AuditEvent], *_: Any, **__: Any) -> list[AuditEvent]:
        from syncengine.audit.stamping import stamp  # it reads the models of this module

        events = list(objs)
        with transaction.atomic(savepoint=False):
            stamp(events)
            bulk.insert(events)
        return events


class AuditEvent(ScopedModel):
    """`actor` is an e-mail address, `api-key:PREFIX` or `system`; `data` holds no secrets.

    `digest` is keyed and covers every other column. The database refuses to update or delete a row.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, related_name="audit_events"
    )  # fmt: skip
    integration = models.ForeignKey(
        Integration, models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="audit_events"
    )
    record = models.ForeignKey(
        Record, models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="events"
    )
    run = models.ForeignKey(Run, models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="events")
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    message = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    digest = models.CharField(max_length=64, default="", db_default="", editable=False)

    objects = AuditEventQuerySet.as_manager()  # type: ignore[misc]  # it stamps what it inserts

    class Meta:
        db_table = "syncengine_audit_event"  # interface.md: tools find it by `audit_event`
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_newest"),
            models.Index(fields=["record", "id"], name="audit_of_record"),
            models.Index(
                fields=["integration", "created_at", "action"],
                condition=Q(action__in=OUTCOMES),
                name="audit_outcomes",
            ),
            models.Index(fields=["organization", "-id"], condition=~Q(actor="system"), name="audit_of_people"),
            models.Index(fields=["organization", "-id"], condition=~Q(action__in=ROUTINE), name="audit_not_routine"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"

    def save(self, *_: Any, **__: Any) -> None:
        """Only ever inserts."""
        type(self).objects.bulk_create([self])


class AuditSeal(ScopedModel):
    """A block of events, sealed: `head` is keyed and covers `previous`, so that seals form a chain per organization.

    `members` are the ids of the block, as runs ("17-40,42"); `through_id` the highest id in this seal and all before.
    `root` is the hash of the members' digests. A seal with `purged_at` is a tombstone: its events were removed because
    of their age, which `tombstone`, keyed, proves.
    """

    organization = models.ForeignKey(Organization, models.DO_NOTHING, db_constraint=False, related_name="audit_seals")
    number = models.PositiveIntegerField()
    first_id = models.BigIntegerField()
    through_id = models.BigIntegerField()
    members = models.TextField()
    root = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    head = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()
    purged_at = models.DateTimeField(null=True, blank=True)
    tombstone = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="audit_seal_once")]
        indexes = [models.Index(fields=["organization", "first_id"], name="audit_seal_by_first_id")]

    def __str__(self) -> str:
        return f"seal {self.number} of organization {self.organization_id}"


class AuditKey(models.Model):
    """The one key of all digests, `{"key": hex}`: made once by a migration, re-encrypted but never changed."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    secret: models.Field[Any, Any] = SecretsField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return "key of the audit trail"
