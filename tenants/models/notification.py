"""Who wants to be told of what, and where an organization has it posted."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tenants.encryption import SecretsField
from tenants.models.organization import Membership, Organization
from tenants.models.scoped import ScopedModel


class HowToTell(models.TextChoices):
    """When an e-mail goes out."""

    IMMEDIATE = "immediate", "At once"
    DAILY = "daily", "Once a day"
    NONE = "none", "Never"


class NotificationChoice(ScopedModel):
    """A member's own choice for one kind of notice; without one the default of the role holds."""

    organization_path: ClassVar[str] = "membership__organization"

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="notification_choices")
    kind = models.CharField(max_length=40)
    how = models.CharField(max_length=10, choices=HowToTell.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "kind"], name="notification_choice_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.how}"


class SlackWebhook(ScopedModel):
    """An incoming webhook that understands Slack's messages. Its `url` ({"value": …}) is a secret: who has it may post.

    `kinds` are the notices that go there; `error` is why the last one did not arrive.
    """

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="slack_webhook")
    url: models.Field[Any, Any] = SecretsField()
    kinds = models.JSONField(default=list, blank=True)
    changed_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"Slack webhook of {self.organization}"
