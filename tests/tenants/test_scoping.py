"""From a key or a person to an organization, and to nothing of another one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tenants.models import Connection, Integration, Role
from tenants.models.scoped import ScopedModel
from tenants.permissions import NEEDED_ROLE, Action, may
from tenants.scoping import (
    Access,
    NoOrganization,
    OrganizationNotFound,
    OrganizationNotNamed,
    access_of_key,
    access_of_member,
)
from tests import factories

ALL = [model for model in ScopedModel.__subclasses__() if not model._meta.abstract]


def test_a_key_leads_to_its_organization_with_its_role(organization):
    access = access_of_key(factories.api_key(organization, "operator"), factories.NOON)
    assert (access.organization, access.role, access.user) == (organization, Role.OPERATOR, None)
    assert access.actor == f"api-key:{access.api_key.prefix}"


def test_an_expired_or_unknown_key_leads_nowhere(organization):
    expired = factories.api_key(organization, "admin", expires_at=factories.NOON)
    assert access_of_key(expired, factories.NOON) is None
    assert access_of_key(expired, factories.NOON - timedelta(seconds=1)) is not None
    assert access_of_key("lb_guessed", factories.NOON) is None


def test_a_member_leads_to_the_only_organization_or_to_the_one_named(organization, viewer, elsewhere):
    assert access_of_member(viewer, None).organization == organization
    factories.MembershipFactory(organization=elsewhere, user=viewer, role="admin")
    assert access_of_member(viewer, "elsewhere").role == Role.ADMIN
    with pytest.raises(OrganizationNotNamed):
        access_of_member(viewer, None)


def test_another_s_organization_looks_like_one_that_does_not_exist(organization, outsider):
    for slug in (organization.slug, "no-such-organization", ""):
        with pytest.raises(OrganizationNotFound):
            access_of_member(outsider, slug)
    with pytest.raises(NoOrganization):
        access_of_member(factories.UserFactory(), None)


def test_an_access_gives_the_rows_of_its_organization_only(organization, integration, elsewhere):
    foreign = factories.IntegrationFactory(organization=elsewhere)
    factories.connect(integration)
    factories.connect(foreign)
    access = Access(organization, Role.VIEWER, "viewer@example.com")
    assert list(access.of(Integration)) == [integration]
    assert {row.integration_id for row in access.of(Connection)} == {integration.pk}


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_every_scoped_model_knows_the_way_to_its_organization(model, organization):
    assert list(model.objects.of(organization)) == []


@pytest.mark.parametrize(
    ("role", "may_do", "may_not"),
    [
        (Role.VIEWER, {Action.VIEW}, {Action.RUN, Action.PING, Action.REPLAY, Action.CONNECT}),
        (Role.OPERATOR, {Action.RUN, Action.REPLAY, Action.PING}, {Action.CONNECT, Action.EDIT_MAPPING}),
        (
            Role.ADMIN,
            {Action.CONNECT, Action.EDIT_MAPPING, Action.MANAGE_KEYS, Action.MANAGE_MEMBERS, Action.SUBSCRIBE},
            {Action.DELETE_ORGANIZATION, Action.MANAGE_OWNERS},
        ),
        (Role.OWNER, set(Action), set()),
    ],
)
def test_roles_reach_as_far_as_interface_md_says(role, may_do, may_not):
    assert {action for action in may_do | may_not if may(role, action)} == may_do


def test_every_action_has_a_role():
    assert set(NEEDED_ROLE) == set(Action)
