"""Who uses the portal, and what their organizations own: one module per noun."""

from tenants.models.api_key import ApiKey
from tenants.models.connection import Connection, System
from tenants.models.field_mapping import FieldMapping
from tenants.models.integration import Integration
from tenants.models.notification import HowToTell, NotificationChoice, SlackWebhook
from tenants.models.organization import Invitation, Membership, Organization, OwnershipOffer, Role
from tenants.models.saved_view import SavedView
from tenants.models.sign_in import Identity, IdentityProvider
from tenants.models.user import User
from tenants.models.webhook_secret import WebhookSecret

__all__ = [
    "ApiKey",
    "Connection",
    "FieldMapping",
    "HowToTell",
    "Identity",
    "IdentityProvider",
    "Integration",
    "Invitation",
    "Membership",
    "NotificationChoice",
    "Organization",
    "OwnershipOffer",
    "Role",
    "SavedView",
    "SlackWebhook",
    "System",
    "User",
    "WebhookSecret",
]
