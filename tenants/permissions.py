"""Which role may do what: the one table that API, pages and commands ask (interface.md, "Roles")."""

from __future__ import annotations

from enum import StrEnum

from tenants.models import Role


class Action(StrEnum):
    """What one can do in an organization."""

    VIEW = "view"
    RUN = "run"
    REPLAY = "replay"
    PING = "ping"
    PREVIEW_MAPPING = "preview_mapping"
    CONFIGURE = "configure"
    CONNECT = "connect"
    SUBSCRIBE = "subscribe"
    POST_NOTICES = "post_notices"
    EDIT_MAPPING = "edit_mapping"
    APPROVE_BANK_CHANGE = "approve_bank_change"
    MANAGE_KEYS = "manage_keys"
    MANAGE_HOOKS = "manage_hooks"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_SIGN_IN = "manage_sign_in"
    REMOVE_INTEGRATION = "remove_integration"
    MANAGE_OWNERS = "manage_owners"
    TAKE_OVER = "take_over"
    DELETE_ORGANIZATION = "delete_organization"


NEEDED_ROLE = {
    Action.VIEW: Role.VIEWER,
    Action.RUN: Role.OPERATOR,
    Action.REPLAY: Role.OPERATOR,
    Action.PING: Role.OPERATOR,
    Action.PREVIEW_MAPPING: Role.OPERATOR,
    Action.CONFIGURE: Role.ADMIN,
    Action.CONNECT: Role.ADMIN,
    Action.SUBSCRIBE: Role.ADMIN,
    Action.POST_NOTICES: Role.ADMIN,
    Action.EDIT_MAPPING: Role.ADMIN,
    Action.APPROVE_BANK_CHANGE: Role.ADMIN,
    Action.MANAGE_KEYS: Role.ADMIN,
    Action.MANAGE_HOOKS: Role.ADMIN,
    Action.MANAGE_MEMBERS: Role.ADMIN,
    Action.MANAGE_SIGN_IN: Role.ADMIN,
    Action.REMOVE_INTEGRATION: Role.ADMIN,
    Action.MANAGE_OWNERS: Role.OWNER,
    Action.TAKE_OVER: Role.VIEWER,  # whom it is offered to
    Action.DELETE_ORGANIZATION: Role.OWNER,
}


def may(role: Role, action: Action) -> bool:
    """Whether a person or key with that role may do it."""
    return role.reaches(NEEDED_ROLE[action])
