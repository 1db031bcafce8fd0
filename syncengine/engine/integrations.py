"""Making, changing and removing integrations, for the API and the pages alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from pydantic import ValidationError

from syncengine.audit import record_event
from syncengine.engine import erasing, flow_states
from syncengine.engine.pauses import resume
from syncengine.flows.settings import FlowSettings
from syncengine.models import PostedDocument
from tenants.errors import FieldError, Refused, refuse
from tenants.models import Integration, Organization

NAME_TAKEN = "There is an integration with this name already."


class HasDocuments(Exception):
    """Invoices were posted through this integration: removing it would forget that, and they could be posted again."""


@transaction.atomic
def create(organization: Organization, actor: str, data: Mapping[str, Any]) -> Integration:
    """A new integration: enabled, every flow enabled, every schedule by hand. Refused names each bad field."""
    _check(organization, None, data)
    integration = Integration(
        organization=organization,
        name=data["name"],
        enabled=data.get("enabled", True),
        settings=_merged({}, data.get("settings") or {}),
    )
    _save(integration)
    flow_states.states(integration)
    record_event(organization, actor, "integration.created", integration.name, integration=integration)
    flow_states.apply(integration, data.get("flows") or {}, actor)
    return integration


@transaction.atomic
def update(integration: Integration, patch: Mapping[str, Any], actor: str) -> Integration:
    """Change any of name, enabled, settings and flows; what is left out stays. `enabled: true` also ends a pause."""
    integration = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    _check(integration.organization, integration, patch)
    before = {"name": integration.name, "enabled": integration.enabled, "settings": integration.settings}
    integration.name = patch.get("name", integration.name)
    integration.enabled = patch.get("enabled", integration.enabled)
    integration.settings = _merged(integration.settings, patch.get("settings") or {})
    _save(integration)
    _tell(integration, before, actor)
    flow_states.apply(integration, patch.get("flows") or {}, actor)
    if patch.get("enabled"):
        resume(integration, actor)
        integration.refresh_from_db()
    return integration


@transaction.atomic
def remove(integration: Integration, actor: str) -> None:
    """Remove an integration at once, its records soon; HasDocuments when invoices were posted through it."""
    if PostedDocument.objects.filter(integration=integration).exists():
        raise HasDocuments
    record_event(integration.organization, actor, "integration.removed", integration.name)
    erasing.delete_integration(integration)


def settings_of(integration: Integration) -> FlowSettings:
    """The settings in force: what was set, and the defaults for the rest."""
    return FlowSettings.model_validate(integration.settings)


def _merged(stored: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The stored settings with the patch over them; null takes one back to its default."""
    merged = {name: value for name, value in {**stored, **patch}.items() if value is not None}
    return FlowSettings.model_validate(merged).model_dump(mode="json", exclude_unset=True)


def _check(organization: Organization, integration: Integration | None, data: Mapping[str, Any]) -> None:
    errors = [*setting_errors(integration, data.get("settings"))]
    same_name = Integration.objects.of(organization).filter(name=data.get("name"))
    if same_name.exclude(pk=integration.pk if integration else 0).exists():
        errors.append(FieldError("name", NAME_TAKEN, "taken"))
    try:
        flow_states.check(data.get("flows") or {})
    except Refused as refused:
        errors += refused.errors
    if errors:
        raise Refused(errors)


def setting_errors(integration: Integration | None, patch: Mapping[str, Any] | None) -> Iterable[FieldError]:
    """What of a patch of the settings cannot be used, over those stored."""
    try:
        _merged(integration.settings if integration else {}, patch or {})
    except ValidationError as invalid:
        for item in invalid.errors(include_url=False, include_input=False):
            field = ".".join(["settings", *map(str, item["loc"])])
            unknown = item["type"] == "extra_forbidden"
            message = "There is no such setting." if unknown else item["msg"].removeprefix("Value error, ")
            yield FieldError(field, message, "unknown" if unknown else "invalid")


def _save(integration: Integration) -> None:
    try:
        with transaction.atomic():
            integration.save()
    except IntegrityError:  # somebody took the name since we looked
        raise refuse("name", NAME_TAKEN, "taken") from None


def _tell(integration: Integration, before: Mapping[str, Any], actor: str) -> None:
    changed = [name for name, value in before.items() if getattr(integration, name) != value]
    if changed:
        old = {name: before[name] for name in changed}
        new = {name: getattr(integration, name) for name in changed}
        record_event(
            integration.organization, actor, "integration.changed", ", ".join(changed), integration=integration,
            before=old, after=new,
        )  # fmt: skip
