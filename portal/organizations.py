"""What happens to an organization as a whole: its settings, who owns it, its end. The deed and its audit event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from syncengine.audit import record_event
from syncengine.connectors.guard import check_url
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine import erasing
from syncengine.engine.connections import outbound_policy
from syncengine.models import Record, Run
from syncengine.models.record import OPEN_STATUSES, RecordStatus
from syncengine.models.run import OPEN_RUN_STATUSES
from tenants import services
from tenants.errors import Refused, refuse
from tenants.models import Identity, IdentityProvider, Membership, Organization, OwnershipOffer, Role
from tenants.scoping import Access

OFFER_LIFE = timedelta(days=7)


@transaction.atomic
def rename(access: Access, name: str, time_zone: str) -> None:
    """Another name or time zone; the address of the pages stays."""
    organization = access.organization
    before = {"name": organization.name, "time_zone": organization.time_zone}
    organization.name, organization.time_zone = name, time_zone
    organization.save(update_fields=["name", "time_zone"])
    after = {"name": name, "time_zone": time_zone}
    if after != before:
        record_event(organization, access.actor, "organization.changed", name, before=before, after=after)


@transaction.atomic
def ask_for_second_factor(access: Access, wanted: bool) -> None:
    """From now on whoever logs in sets up a second factor first; or nobody has to any more."""
    organization = access.organization
    if wanted == (organization.second_factor_since is not None):
        return
    organization.second_factor_since = timezone.now() if wanted else None
    organization.save(update_fields=["second_factor_since"])
    what = "a second factor is asked for" if wanted else "a second factor is not asked for any more"
    record_event(organization, access.actor, "organization.changed", what)


# Handing over, in two steps


@transaction.atomic
def offer_ownership(access: Access, offered_by: Membership, offered_to: Membership) -> OwnershipOffer:
    """Ask a member to take the organization over; an older offer ends. Nothing changes before they accept."""
    if offered_to.role == Role.OWNER:
        raise refuse("member", "This member is an owner already.", "owner")
    OwnershipOffer.objects.of(access.organization).delete()
    offer = OwnershipOffer.objects.create(
        organization=access.organization,
        offered_to=offered_to,
        offered_by=offered_by,
        expires_at=timezone.now() + OFFER_LIFE,
    )
    record_event(access.organization, access.actor, "organization.offered", f"to {offered_to.user.email}")
    transaction.on_commit(lambda: _tell(offer))
    return offer


def _tell(offer: OwnershipOffer) -> None:
    page = f"{settings.SITE_URL}/o/{offer.organization.slug}/organization/"
    text = (
        f"{offer.offered_by.user.email} wants to hand {offer.organization.name} on Ledgerbridge over to you.\n\n"
        f"Accept or decline within {OFFER_LIFE.days} days:\n{page}\n"
    )
    send_mail(f"{offer.organization.name} is offered to you", text, None, [offer.offered_to.user.email])


def open_offer(organization: Organization) -> OwnershipOffer | None:
    """The offer that can still be accepted: who made it must be an owner still."""
    offers = OwnershipOffer.objects.of(organization).filter(expires_at__gt=timezone.now(), offered_by__role=Role.OWNER)
    return offers.select_related("offered_to__user", "offered_by__user", "organization").first()


@transaction.atomic
def accept_ownership(access: Access) -> None:
    """Become the owner, by the offer; who made it stays as an admin. Refused for anybody else."""
    offer = _offer_to(access)
    former = offer.offered_by.user.email
    services.hand_over(offer)
    record_event(access.organization, access.actor, "organization.handed_over", f"{former} to {access.actor}")


@transaction.atomic
def decline_ownership(access: Access) -> None:
    """Say no; everybody stays what they are. Refused for anybody but whom it was offered to."""
    _offer_to(access).delete()
    record_event(access.organization, access.actor, "organization.offer_declined")


@transaction.atomic
def withdraw_offer(access: Access) -> None:
    """Take back whatever offer there is."""
    if OwnershipOffer.objects.of(access.organization).delete()[0]:
        record_event(access.organization, access.actor, "organization.offer_withdrawn")


def _offer_to(access: Access) -> OwnershipOffer:
    offer = open_offer(access.organization)
    if offer is None or offer.offered_to.user != access.user:
        raise refuse("", "This offer does not hold any more.", "no_offer")
    return offer


# Sign-in at the organization's own identity provider


@transaction.atomic
def save_provider(access: Access, entered: Mapping[str, Any]) -> IdentityProvider:
    """Enter or change the provider. Another issuer or client asks for the secret anew; its people sign in afresh."""
    issuer = entered["issuer"].rstrip("/")
    _check_issuer(issuer)
    stored = IdentityProvider.objects.without_secrets().filter(organization=access.organization).first()
    same = stored is not None and (stored.issuer, stored.client_id) == (issuer, entered["client_id"])
    if not entered["client_secret"] and not same:
        raise refuse("client_secret", "Enter the secret: it belongs to this issuer and client.", "required")
    if entered["required"] and not Identity.objects.of(access.organization).filter(issuer=issuer).exists():
        raise refuse(
            "required", "Nobody has signed in there yet: save without this, try it, then require it.", "untried"
        )
    fields = {name: entered[name] for name in ("client_id", "required")}
    if entered["client_secret"]:
        fields["client_secret"] = {"value": entered["client_secret"]}
    provider, _ = IdentityProvider.objects.update_or_create(
        organization=access.organization, defaults={**fields, "issuer": issuer, "changed_at": timezone.now()}
    )
    record_event(
        access.organization, access.actor, "sign_in.changed", issuer,
        client_id=provider.client_id, required=provider.required, secret_changed=bool(entered["client_secret"]),
    )  # fmt: skip
    return provider


def _check_issuer(issuer: str) -> None:
    try:
        check_url(issuer, outbound_policy())
    except ConnectorError as error:
        raise refuse("issuer", f"{error.message} {error.hint or ''}".strip(), error.code) from None


@transaction.atomic
def remove_provider(access: Access) -> None:
    """Nobody signs in through it any more; everybody's own password works as before."""
    if IdentityProvider.objects.of(access.organization).delete()[0]:
        Identity.objects.of(access.organization).delete()
        record_event(access.organization, access.actor, "sign_in.removed")


# The end


def invoices_open(organization: Organization) -> int:
    """Invoices that Basware waits for an answer on; nobody would give one any more."""
    waiting = (*OPEN_STATUSES, RecordStatus.FAILED)
    return Record.objects.of(organization).filter(flow="invoices", status__in=waiting).count()


@transaction.atomic
def delete(access: Access, typed_name: str, *, despite_open_invoices: bool) -> None:
    """End the organization at once; workers erase what it owned. Its audit events stay for AUDIT_DAYS."""
    organization = Organization.objects.select_for_update().get(pk=access.organization.pk)
    problems = []
    if typed_name.strip() != organization.name:
        problems.append(refuse("typed_name", f"Type the name as it is written: {organization.name}.", "name"))
    if Run.objects.of(organization).filter(status__in=OPEN_RUN_STATUSES).exists():
        problems.append(refuse("", "A run is under way: cancel it, or wait until it has ended.", "run_open"))
    if invoices_open(organization) and not despite_open_invoices:
        message = "Basware still waits for an answer on invoices: say that they may stay unanswered."
        problems.append(refuse("despite_open_invoices", message, "invoices_open"))
    if problems:
        raise Refused([error for problem in problems for error in problem.errors])
    record_event(organization, access.actor, "organization.deleted", organization.name)
    erasing.delete_organization(organization)
