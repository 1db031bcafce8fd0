"""What a dry run found that a run would do, item by item, to be looked at and applied."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from syncengine.models.fields import ExactJSONField
from syncengine.models.run import Run
from tenants.models import Integration
from tenants.models.scoped import ScopedModel


class PlanAction(models.TextChoices):
    """What a run would do with an item, or why it would not; what it would leave as it is has a count and no item."""

    CREATE = "create", "Create"
    CHANGE = "change", "Change"
    CLOSE = "close", "Close"
    POST = "post", "Post"
    CREDIT = "credit", "Credit"
    LINK = "link", "Link"
    CONFIRM = "confirm", "Confirm"
    FAIL = "fail", "Would fail"
    ASK = "ask", "Needs a decision"
    WAIT = "wait", "Would wait"
    STOP = "stop", "Would stop"


SENDING_ACTIONS = (
    PlanAction.CREATE,
    PlanAction.CHANGE,
    PlanAction.CLOSE,
    PlanAction.POST,
    PlanAction.CREDIT,
    PlanAction.LINK,
    PlanAction.CONFIRM,
)
"""What applying a plan does; the others are only told."""


class Plan(ScopedModel):
    """The plan of one dry run. `connections` is when each was last changed; `left_out` were too many to be kept.

    `applied_in` is the run that sends it: a plan is applied once.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="plans")
    run = models.OneToOneField(Run, models.CASCADE, related_name="plan")
    applied_in = models.OneToOneField(Run, models.SET_NULL, null=True, blank=True, related_name="applied_plan")
    mapping_version = models.PositiveIntegerField()
    connections = models.JSONField(default=dict)
    kept = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"plan of {self.run}"


class ItemFate(models.TextChoices):
    """What became of an item when its plan was applied."""

    OPEN = ""
    SENT = "sent", "Sent"
    CHANGED = "changed", "Changed since"


class PlanItem(ScopedModel):
    """One business object. `changes` is the difference to what the target confirmed last, field by field.

    `fingerprint` is that of what would be sent: only what has the same when the plan is applied is sent. `remark`
    says then why something was not.
    """

    organization_path: ClassVar[str] = "integration__organization"

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="+")
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="items")
    key = models.CharField(max_length=120)
    title = models.CharField(max_length=250, blank=True)
    action = models.CharField(max_length=8, choices=PlanAction.choices)
    amount = models.DecimalField(max_digits=19, decimal_places=6, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    message = models.TextField(blank=True)
    cause = models.CharField(max_length=200, blank=True)
    problems = models.JSONField(default=list, blank=True)
    changes: models.Field[Any, Any] = ExactJSONField(default=list, blank=True)
    more_changes = models.PositiveIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, blank=True)
    mapping_version = models.PositiveIntegerField(default=0)
    fate = models.CharField(max_length=8, choices=ItemFate.choices, default=ItemFate.OPEN, blank=True)
    remark = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="plan_item_once")]
        indexes = [
            models.Index(fields=["plan", "-id"], name="plan_item_newest"),
            models.Index(fields=["plan", "action", "-id"], name="plan_item_by_action"),
            models.Index(fields=["plan", "cause", "-id"], condition=~Q(cause=""), name="plan_item_by_cause"),
            models.Index(fields=["plan", "fate", "id"], name="plan_item_by_fate"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.key}"
