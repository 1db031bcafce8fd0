"""Who uses the portal, and what their organizations own: one module per noun."""

from tenants.models.api_key import ApiKey
from tenants.models.connection import Connection, System
from tenants.models.field_mapping import FieldMapping
from tenants.models.integration import Integration
from tenants.models.notification import HowToTell, NotificationChoice, SlackWebhook
from tenants.models.organization import Invitation, Membership, Organization, Role
from tenants.models.user import User
from tenants.models.webhook_secret import WebhookSecret

__all__ = [
    "ApiKey",
    "Connection",
    "FieldMapping",
    "HowToTell",
    "Integration",
    "Invitation",
    "Membership",
    "NotificationChoice",
    "Organization",
    "Role",
    "SlackWebhook",
    "System",
    "User",
    "WebhookSecret",
]
