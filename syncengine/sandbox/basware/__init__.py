"""A faithful stand-in for Basware P2P: API layer, P2P behind it, storage, notifications (contracts: Basware §18)."""

from syncengine.sandbox.basware.sandbox import BaswareSandbox
from syncengine.sandbox.basware.tokens import CLIENT_ID, CLIENT_SECRET

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "BaswareSandbox"]
