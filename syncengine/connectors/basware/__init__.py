"""The Basware P2P client: pure Python, nothing of Django (contracts: Basware)."""

from syncengine.connectors.basware.batches import cut_batches
from syncengine.connectors.basware.client import (
    Attachment,
    Basware,
    ImportReceipt,
    ResponseReceipt,
    Subscription,
)
from syncengine.connectors.basware.external_codes import external_code, response_code
from syncengine.connectors.basware.fields import FieldProblem
from syncengine.connectors.basware.resources import RESOURCES, Resource, check, limits
from syncengine.connectors.basware.settings import DEFAULT_SCOPES, BaswareSettings
from syncengine.connectors.basware.statuses import Item, ItemError, RequestResult
from syncengine.connectors.basware.tokens import MemoryTokenStore, Token, TokenStore

__all__ = [
    "DEFAULT_SCOPES",
    "RESOURCES",
    "Attachment",
    "Basware",
    "BaswareSettings",
    "FieldProblem",
    "ImportReceipt",
    "Item",
    "ItemError",
    "MemoryTokenStore",
    "RequestResult",
    "Resource",
    "ResponseReceipt",
    "Subscription",
    "Token",
    "TokenStore",
    "check",
    "cut_batches",
    "external_code",
    "limits",
    "response_code",
]
