"""Who may do what at which address: the one table that `test_walk` holds every address of the site against.

An address by its name, and for each method the least that one must be; a method that is not here is refused.
"""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """From the street to the machine room; a role includes those before it."""

    ANYONE = 0
    PERSON = 1  # somebody who is logged in
    VIEWER = 2  # from here on: of this organization
    OPERATOR = 3
    ADMIN = 4
    OWNER = 5
    STAFF = 6  # of the site
    MACHINE = 7  # this machine, or the bearer of METRICS_TOKEN


ANYONE, PERSON, VIEWER, OPERATOR, ADMIN, OWNER, STAFF, MACHINE = Level
Methods = dict[str, Level]

SITE: dict[str, Methods] = {
    "healthz": {"GET": ANYONE},
    "metrics": {"GET": MACHINE},
    "basware-webhook": {"POST": ANYONE},  # the signature decides
    "sap-webhook": {"POST": ANYONE},  # the API key decides
    "api:schema": {"GET": ANYONE},
    "api:docs": {"GET": ANYONE},
    "portal:landing": {"GET": ANYONE},
    "portal:language": {"POST": ANYONE},  # one's own
    "portal:organizations": {"GET": PERSON},
    "portal:organization-create": {"GET": PERSON, "POST": PERSON},
    "portal:preferences": {"GET": PERSON, "POST": PERSON},
    "portal:second-factor": {"GET": PERSON},
    "portal:session-end": {"POST": PERSON},  # one's own
    "portal:sign-in": {"GET": ANYONE, "POST": ANYONE},  # it says no more than that there is one
    "portal:sign-in-again": {"GET": PERSON},
    "portal:sign-in-answer": {"GET": ANYONE},  # the identity provider's word decides
    "portal:sign-in-find": {"GET": ANYONE, "POST": ANYONE},
    "portal:theme": {"POST": ANYONE},  # a cookie of one's own
    "portal:invitation": {"GET": ANYONE, "POST": ANYONE},  # whoever holds the token; joining asks for the log-in
}

PAGES: dict[str, Methods] = {
    "api-key-revoke": {"POST": ADMIN},
    "api-keys": {"GET": ADMIN, "POST": ADMIN},
    "audit": {"GET": VIEWER},
    "call": {"GET": VIEWER},
    "configuration": {"GET": VIEWER, "POST": ADMIN},
    "configuration-file": {"GET": VIEWER},
    "connection": {"GET": VIEWER, "POST": ADMIN},
    "connections": {"GET": VIEWER},
    "dashboard": {"GET": VIEWER},
    "dashboard-figures": {"GET": VIEWER},
    "dashboard-live": {"GET": VIEWER},
    "flow": {"GET": VIEWER, "POST": ADMIN},
    "flow-toggle": {"POST": ADMIN},
    "flows": {"GET": VIEWER},
    "hook": {"GET": VIEWER, "POST": ADMIN},
    "hook-delivery": {"GET": VIEWER},
    "hook-delivery-replay": {"POST": OPERATOR},
    "hook-remove": {"POST": ADMIN},
    "hook-rotate": {"POST": ADMIN},
    "hook-secret": {"POST": ADMIN},
    "hook-test": {"POST": ADMIN},
    "hooks": {"GET": VIEWER, "POST": ADMIN},
    "integration-create": {"GET": ADMIN, "POST": ADMIN},
    "integration-enable": {"POST": ADMIN},
    "integration-remove": {"GET": ADMIN, "POST": ADMIN},
    "invitation-resend": {"POST": ADMIN},
    "invitation-withdraw": {"POST": ADMIN},
    "look-around": {"POST": ADMIN},
    "mapping": {"GET": VIEWER, "POST": ADMIN},
    "mapping-case-remove": {"POST": ADMIN},
    "mapping-preview": {"POST": OPERATOR},
    "mapping-waiting": {"GET": VIEWER},
    "member-invite": {"POST": ADMIN},
    "member-remove": {"POST": ADMIN},
    "member-role": {"POST": ADMIN},
    "members": {"GET": VIEWER},
    "notice-read": {"POST": VIEWER},
    "notice-settings": {"GET": VIEWER, "POST": VIEWER},  # what one is told oneself
    "notice-slack": {"POST": ADMIN},
    "notice-slack-remove": {"POST": ADMIN},
    "notice-slack-test": {"POST": ADMIN},
    "notices": {"GET": VIEWER},
    "notices-read": {"POST": VIEWER},
    "organization": {"GET": VIEWER},
    "organization-delete": {"GET": OWNER, "POST": OWNER},
    "organization-leave": {"POST": VIEWER},
    "organization-offer": {"POST": OWNER},
    "organization-offer-accept": {"POST": VIEWER},  # whom it was made to
    "organization-offer-decline": {"POST": VIEWER},
    "organization-offer-withdraw": {"POST": OWNER},
    "organization-second-factor": {"POST": ADMIN},
    "organization-settings": {"GET": VIEWER, "POST": ADMIN},
    "organization-sign-in": {"GET": ADMIN, "POST": ADMIN},
    "organization-sign-in-remove": {"POST": ADMIN},
    "period-cutoff": {"POST": ADMIN},
    "period-end": {"GET": VIEWER, "POST": OPERATOR},
    "ping": {"POST": OPERATOR},
    "plan": {"GET": VIEWER},
    "plan-apply": {"POST": OPERATOR},
    "reconciliation": {"GET": VIEWER},
    "record": {"GET": VIEWER},
    "record-decide": {"POST": OPERATOR},
    "record-hold": {"POST": OPERATOR},
    "record-ignore": {"POST": OPERATOR},
    "record-replay": {"POST": OPERATOR},
    "record-resend": {"POST": OPERATOR},
    "record-try": {"POST": OPERATOR},
    "records": {"GET": VIEWER},
    "records-export": {"GET": VIEWER},
    "repair": {"GET": VIEWER},
    "repair-aside": {"POST": OPERATOR},
    "repair-assign": {"POST": OPERATOR},
    "repair-cancel": {"POST": OPERATOR},
    "repair-choices": {"GET": OPERATOR},
    "repair-note": {"POST": OPERATOR},
    "repair-order": {"POST": OPERATOR},
    "repair-progress": {"GET": VIEWER},
    "repair-snooze": {"POST": OPERATOR},
    "repair-try": {"POST": OPERATOR},
    "repairs": {"GET": VIEWER},
    "replay-many": {"POST": OPERATOR},
    "run": {"GET": VIEWER},
    "run-cancel": {"POST": OPERATOR},
    "run-confirm-closings": {"POST": OPERATOR},
    "run-progress": {"GET": VIEWER},
    "run-start": {"POST": OPERATOR},
    "runs": {"GET": VIEWER},
    "sandbox-leave": {"GET": ADMIN, "POST": ADMIN},
    "schedule-words": {"GET": VIEWER},
    "search": {"GET": VIEWER},
    "settings": {"GET": VIEWER, "POST": ADMIN},
    "start": {"GET": VIEWER},
    "start-dry-run": {"POST": OPERATOR},
    "start-live": {"POST": ADMIN},
    "start-mapping": {"POST": OPERATOR},
    "start-mapping-accept": {"POST": ADMIN},
    "start-ping": {"POST": OPERATOR},
    "start-sandbox": {"POST": ADMIN},
    "start-schedule": {"POST": ADMIN},
    "suggestions": {"GET": VIEWER},
    "view-remove": {"POST": ADMIN},
    "view-save": {"POST": VIEWER},  # for oneself; sharing is for operators
    "webhook": {"GET": VIEWER, "POST": ADMIN},
    "webhook-look-again": {"POST": OPERATOR},
    "what-if": {"GET": VIEWER},
    "what-if-apply": {"POST": OPERATOR},
}

API: dict[str, Methods] = {
    "api-key": {"DELETE": ADMIN},
    "api-keys": {"GET": VIEWER, "POST": ADMIN},
    "audit": {"GET": VIEWER},
    "audit-export": {"GET": VIEWER},
    "causes": {"GET": VIEWER},
    "configuration": {"GET": VIEWER, "POST": ADMIN},
    "connection": {"GET": VIEWER, "PUT": ADMIN},
    "hook": {"GET": VIEWER, "PATCH": ADMIN, "DELETE": ADMIN},
    "hook-deliveries": {"GET": VIEWER},
    "hook-delivery": {"GET": VIEWER},
    "hook-delivery-replay": {"POST": OPERATOR},
    "hook-rotate": {"POST": ADMIN},
    "hook-test": {"POST": ADMIN},
    "hooks": {"GET": VIEWER, "POST": ADMIN},
    "integration": {"GET": VIEWER, "PATCH": ADMIN, "DELETE": ADMIN},
    "integrations": {"GET": VIEWER, "POST": ADMIN},
    "invite": {"POST": ADMIN},
    "mapping": {"GET": VIEWER, "PUT": ADMIN},
    "mapping-preview": {"POST": OPERATOR},
    "member": {"PATCH": ADMIN, "DELETE": ADMIN},
    "members": {"GET": VIEWER},
    "ping": {"POST": OPERATOR},
    "plan": {"GET": VIEWER},
    "plan-items": {"GET": VIEWER},
    "reconciliation": {"GET": VIEWER},
    "record": {"GET": VIEWER},
    "record-decide": {"POST": OPERATOR},
    "record-hold": {"POST": OPERATOR},
    "record-ignore": {"POST": OPERATOR},
    "record-replay": {"POST": OPERATOR},
    "record-resend": {"POST": OPERATOR},
    "records": {"GET": VIEWER},
    "replays": {"POST": OPERATOR},
    "run": {"GET": VIEWER},
    "run-apply": {"POST": OPERATOR},
    "run-cancel": {"POST": OPERATOR},
    "run-confirm-closings": {"POST": OPERATOR},
    "runs": {"GET": VIEWER, "POST": OPERATOR},
    "webhook": {"GET": VIEWER, "POST": ADMIN},
}

# The pages of one's own account name nobody else, so that being logged in is all they can ask for.
FOR_ANYONE = (
    "account_confirm_email",
    "account_confirm_login_code",
    "account_email_verification_sent",
    "account_inactive",
    "account_login",
    "account_logout",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_signup",
    "mfa_login_webauthn",
    "mfa_authenticate",  # the second half of logging in
)
FOR_ONESELF = (
    "account_change_password",
    "account_email",
    "account_reauthenticate",
    "account_set_password",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_edit_webauthn",
    "mfa_list_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "usersessions_list",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_view_recovery_codes",
)
EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ACCOUNTS: dict[str, Methods] = {
    **{name: dict.fromkeys(EVERY_METHOD, ANYONE) for name in FOR_ANYONE},
    **{name: dict.fromkeys(EVERY_METHOD, PERSON) for name in FOR_ONESELF},
}

ADMIN_SITE = (
    "app_list",
    "auth_user_password_change",
    "autocomplete",
    "index",
    "jsi18n",
    "password_change",
    "password_change_done",
    "view_on_site",
    "",  # what leads to no page, and old addresses that lead on
)
ADMIN_MODELS = (
    "account_emailaddress",
    "auth_group",
    "axes_accessattempt",
    "axes_accessfailurelog",
    "axes_accesslog",
    "syncengine_attempt",
    "syncengine_auditevent",
    "syncengine_call",
    "syncengine_inboxnotification",
    "syncengine_record",
    "syncengine_run",
    "tenants_apikey",
    "tenants_connection",
    "tenants_fieldmapping",
    "tenants_integration",
    "tenants_invitation",
    "tenants_organization",
    "tenants_user",
)
ADMIN_VIEWS = ("add", "change", "changelist", "delete", "history")
ADMIN_PAGES: dict[str, Methods] = {
    "admin:login": dict.fromkeys(EVERY_METHOD, ANYONE),
    "admin:logout": dict.fromkeys(EVERY_METHOD, ANYONE),
    **{f"admin:{name}": dict.fromkeys(EVERY_METHOD, STAFF) for name in ADMIN_SITE},
    **{f"admin:{m}_{view}": dict.fromkeys(EVERY_METHOD, STAFF) for m in ADMIN_MODELS for view in ADMIN_VIEWS},
}

PERMISSIONS: dict[str, Methods] = {
    **SITE,
    **{f"portal:{name}": methods for name, methods in PAGES.items()},
    **{f"api:{name}": methods for name, methods in API.items()},
    **{f"organization-api:{name}": methods for name, methods in API.items()},
    **ACCOUNTS,
    **ADMIN_PAGES,
}

# Who touches secrets, keys, people, or ends something, shows first who they are (portal.proof).
STEP_UP: dict[str, tuple[str, ...]] = {
    # the form asks before it opens: what was typed would be lost
    "portal:connection": ("GET", "POST"),
    "portal:integration-remove": ("GET", "POST"),
    "portal:organization-delete": ("GET", "POST"),
    "portal:organization-sign-in": ("GET", "POST"),
    "portal:sandbox-leave": ("GET", "POST"),
    **dict.fromkeys(
        (
            "portal:api-key-revoke", "portal:api-keys",
            "portal:invitation-resend", "portal:invitation-withdraw", "portal:member-invite",
            "portal:member-remove", "portal:member-role",
            "portal:notice-slack", "portal:notice-slack-remove", "portal:notice-slack-test",
            "portal:organization-offer", "portal:organization-offer-accept", "portal:organization-offer-withdraw",
            "portal:organization-second-factor", "portal:organization-sign-in-remove",
            "portal:hook", "portal:hook-remove", "portal:hook-rotate", "portal:hook-secret", "portal:hook-test",
            "portal:hooks",
            "portal:start-sandbox", "portal:webhook",
            "account_email",
        ),
        ("POST",),
    ),
    "account_set_password": ("GET", "POST"),
    "mfa_activate_totp": ("GET", "POST"),
    "mfa_add_webauthn": ("GET", "POST"),
    "mfa_deactivate_totp": ("GET", "POST"),
    "mfa_download_recovery_codes": ("GET", "POST"),
    "mfa_edit_webauthn": ("GET", "POST"),
    "mfa_generate_recovery_codes": ("GET", "POST"),
    "mfa_remove_webauthn": ("GET", "POST"),
    "mfa_view_recovery_codes": ("GET",),
    "organization-api:api-key": ("DELETE",),
    "organization-api:api-keys": ("POST",),
    "organization-api:connection": ("PUT",),
    "organization-api:hook": ("DELETE", "PATCH"),
    "organization-api:hook-rotate": ("POST",),
    "organization-api:hook-test": ("POST",),
    "organization-api:hooks": ("POST",),
    "organization-api:integration": ("DELETE",),
    "organization-api:invite": ("POST",),
    "organization-api:member": ("DELETE", "PATCH"),
    "organization-api:webhook": ("POST",),
}  # fmt: skip

# Where what is sent decides: only an owner makes, or moves, an owner.
OF_OWNERS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("api:member", "PATCH", {"role": "owner"}),
    ("api:invite", "POST", {"email": "another@example.com", "role": "owner"}),
    ("portal:member-role", "POST", {"role": "owner"}),
)


def needed(name: str, method: str) -> Level | None:
    """The least that one must be; None where the method is refused."""
    return PERMISSIONS[name].get("GET" if method == "HEAD" and "GET" in PERMISSIONS[name] else method)
