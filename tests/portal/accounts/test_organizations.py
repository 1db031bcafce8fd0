"""An organization as a whole: handed over in two steps, left, deleted; its invitations; its integrations' end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from portal import organizations
from syncengine.engine.erasing import erase_due
from syncengine.engine.work import Deadline
from syncengine.models import AuditEvent, PostedDocument, Record, Run
from tenants.models import Integration, Invitation, Membership, Organization, OwnershipOffer, Role, User
from tenants.scoping import access_of_member
from tenants.services import create_invitation, open_invitation
from tests import factories


@pytest.fixture
def base(organization):
    return f"/o/{organization.slug}/organization/"


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def role_of(user):
    return Membership.objects.get(user=user).role


@pytest.fixture
def offered(owner, admin, base, browser_of, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        browser_of(owner).post(f"{base}offer/", {"offer-member": admin.memberships.get().pk})


def test_ownership_changes_when_it_is_accepted_and_not_before(owner, admin, base, offered, browser_of):
    assert (role_of(owner), role_of(admin)) == ("owner", "admin")
    assert mail.outbox[0].to == [admin.email]
    assert "over to you" in browser_of(admin).get(base).content.decode()
    browser_of(admin).post(f"{base}offer/accept/")
    assert (role_of(owner), role_of(admin)) == ("admin", "owner")
    assert actions() == ["organization.offered", "organization.handed_over"]


def test_nobody_else_accepts_or_declines_it(operator, owner, admin, base, offered, browser_of):
    for deed in ("accept", "decline"):
        answer = browser_of(operator).post(f"{base}offer/{deed}/", follow=True)
        assert "does not hold any more" in answer.content.decode()
    assert role_of(owner) == "owner"
    assert OwnershipOffer.objects.exists()


def test_an_offer_is_declined_withdrawn_or_expires(owner, admin, base, offered, browser_of):
    browser_of(admin).post(f"{base}offer/decline/")
    assert not OwnershipOffer.objects.exists()
    browser_of(owner).post(f"{base}offer/", {"offer-member": admin.memberships.get().pk})
    OwnershipOffer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    browser_of(admin).post(f"{base}offer/accept/")
    assert role_of(admin) == "admin"
    browser_of(owner).post(f"{base}offer/withdraw/")
    assert actions()[-1] == "organization.offer_withdrawn"


def test_an_offer_ends_with_the_ownership_of_who_made_it(owner, admin, base, offered, browser_of):
    Membership.objects.filter(user=owner).update(role="viewer")
    browser_of(admin).post(f"{base}offer/accept/")
    assert role_of(admin) == "admin"


@pytest.mark.parametrize("member", ["", "0", "nonsense"])
def test_an_offer_needs_a_member(owner, base, browser_of, member):
    browser_of(owner).post(f"{base}offer/", {"offer-member": member})
    assert not OwnershipOffer.objects.exists()


def test_a_member_leaves_and_the_last_owner_does_not(owner, viewer, base, browser_of):
    assert browser_of(viewer).post(f"{base}leave/")["Location"] == "/"
    answer = browser_of(owner).post(f"{base}leave/", follow=True)
    assert "An organization needs an owner" in answer.content.decode()
    assert list(Membership.objects.values_list("user", flat=True)) == [owner.pk]
    assert actions() == ["member.left"]


def test_name_and_time_zone_change(admin, base, organization, browser_of):
    browser_of(admin).post(base, {"name": "Nordic Board", "time_zone": "Europe/Helsinki"})
    organization.refresh_from_db()
    assert (organization.name, organization.time_zone, organization.slug) == (
        "Nordic Board",
        "Europe/Helsinki",
        "nordic-paper",
    )
    assert actions() == ["organization.changed"]


def test_deleting_takes_everything_but_the_trail_and_the_people(owner, connected, base, outsider, browser_of):
    record = factories.RecordFactory(integration=connected)
    factories.CallFactory(integration=connected, record=record)
    posted(record)
    browser = browser_of(owner)
    assert "What stays" in browser.get(f"{base}delete/").content.decode()
    assert "Type the name" in browser.post(f"{base}delete/", {"typed_name": "nordic"}).content.decode()
    assert browser.post(f"{base}delete/", {"typed_name": "Nordic Paper"})["Location"] == "/"
    while erase_due(Deadline(60)):
        pass
    assert list(Organization.objects.values_list("slug", flat=True)) == ["elsewhere"]
    assert not Integration.objects.exists()
    assert not Record.objects.exists()
    assert User.objects.filter(pk=owner.pk).exists()
    assert actions()[-1] == "organization.deleted"


def posted(record):
    """The memory of a document in SAP."""
    return PostedDocument.objects.create(
        integration=record.integration, record=record, company="SBO", entity_set="PurchaseInvoices", doc_entry=1,
        doc_num=1, invoice_id="i", card_code="V1", num_at_card="1",
    )  # fmt: skip


def test_open_invoices_and_runs_under_way_hold_a_deletion_up(owner, connected, base, browser_of):
    run = factories.RunFactory(integration=connected, status="running")
    factories.RecordFactory(integration=connected, flow="invoices", status="failed")
    browser = browser_of(owner)
    page = browser.post(f"{base}delete/", {"typed_name": "Nordic Paper"}).content.decode()
    assert "A run is under way" in page
    assert "say that they may stay unanswered" in page
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    browser.post(f"{base}delete/", {"typed_name": "Nordic Paper"})
    assert Organization.objects.filter(slug="nordic-paper").exists()
    browser.post(f"{base}delete/", {"typed_name": "Nordic Paper", "despite_open_invoices": "on"})
    assert not Organization.objects.filter(slug="nordic-paper").exists()


def test_an_integration_is_removed_by_its_name_unless_it_has_posted(admin, connected, organization, browser_of):
    page, browser = f"/o/{organization.slug}/integrations/{connected.pk}/remove/", browser_of(admin)
    assert "as it is written" in browser.post(page, {"typed_name": "Sweden"}).content.decode()
    document = posted(factories.RecordFactory(integration=connected))
    assert "could be posted again" in browser.post(page, {"typed_name": "Finland"}).content.decode()
    document.delete()
    browser.post(page, {"typed_name": "Finland"})
    assert not Integration.objects.of(organization).exists()
    assert actions()[-1] == "integration.removed"


@pytest.fixture
def invited(organization, admin):
    invitation, token = create_invitation(organization, "new@example.com", Role.VIEWER, admin, timezone.now())
    return invitation, token


def test_an_invitation_is_sent_again_with_a_new_link(
    organization, admin, invited, browser_of, django_capture_on_commit_callbacks
):
    invitation, token = invited
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "Invitation expired" in browser_of(admin).get(f"/o/{organization.slug}/members/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        browser_of(admin).post(f"/o/{organization.slug}/members/invitations/{invitation.pk}/resend/")
    fresh = mail.outbox[0].body.split("/invitations/")[1].split("/")[0]
    assert open_invitation(token, timezone.now()) is None
    assert open_invitation(fresh, timezone.now()) == invitation


def test_a_withdrawn_invitation_leads_nowhere(organization, admin, invited, browser_of, client):
    invitation, token = invited
    browser_of(admin).post(f"/o/{organization.slug}/members/invitations/{invitation.pk}/withdraw/")
    assert client.get(f"/invitations/{token}/").status_code == 404
    assert actions() == ["member.invitation_withdrawn"]


def test_an_accepted_invitation_is_neither_sent_again_nor_withdrawn(organization, admin, invited, browser_of):
    Invitation.objects.update(accepted_at=timezone.now())
    for deed in ("resend", "withdraw"):
        path = f"/o/{organization.slug}/members/invitations/{invited[0].pk}/{deed}/"
        assert browser_of(admin).post(path).status_code == 404


def test_what_is_as_it_was_is_not_told(owner, organization):
    access = access_of_member(owner, organization.slug)
    organizations.rename(access, organization.name, organization.time_zone)
    organizations.ask_for_second_factor(access, wanted=False)
    organizations.remove_provider(access)
    organizations.withdraw_offer(access)
    assert actions() == []
