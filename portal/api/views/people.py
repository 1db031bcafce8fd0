"""Members and API keys of the organization."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal import people
from portal.api.base import ScopedView
from portal.api.idempotency import idempotent
from portal.api.shapes.people import (
    InvitationRequest,
    InvitationShape,
    IssuedKey,
    KeyRequest,
    KeyShape,
    MemberShape,
    RoleChange,
)
from tenants.models import ApiKey, Membership, Role
from tenants.permissions import Action


class Members(ScopedView):
    """Everybody who belongs to the organization."""

    needs = {"GET": Action.VIEW}
    serializer_class = MemberShape
    queryset = Membership.objects.none()

    @extend_schema(operation_id="members_list", responses=MemberShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List members."""
        page = self.paginate_queryset(self.access.of(Membership).select_related("user"))
        return self.get_paginated_response(MemberShape(page, many=True).data)


class MemberDetail(ScopedView):
    """One member."""

    needs = {"PATCH": Action.MANAGE_MEMBERS, "DELETE": Action.MANAGE_MEMBERS}
    serializer_class = RoleChange
    membership: Membership

    def locate(self) -> None:
        rows = self.access.of(Membership).select_related("user")
        self.membership = self.one(Membership, self.kwargs["member_id"], rows)

    @extend_schema(responses=MemberShape)
    def patch(self, request: Request, **kwargs: Any) -> Response:
        """Give another role; owners are made and unmade by owners, and one always remains."""
        self.check_if_match(MemberShape(self.membership).data)
        wanted = self.checked(partial=True)
        if "role" in wanted:
            people.change_role(self.access, self.membership, Role(wanted["role"]))
        return self.answer(MemberShape(self.membership).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, **kwargs: Any) -> Response:
        """Take a member out of the organization."""
        self.check_if_match(MemberShape(self.membership).data)
        people.remove_member(self.access, self.membership)
        return Response(status=204)


class Invite(ScopedView):
    """Invitations."""

    needs = {"POST": Action.MANAGE_MEMBERS}
    serializer_class = InvitationRequest

    @extend_schema(responses={201: InvitationShape})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Invite somebody by e-mail."""
        wanted = self.checked()
        invitation = people.invite(self.access, wanted["email"], Role(wanted["role"]))
        return Response(InvitationShape(invitation).data, status=201)


class ApiKeys(ScopedView):
    """The organization's keys."""

    needs = {"GET": Action.VIEW, "POST": Action.MANAGE_KEYS}
    serializer_class = KeyRequest
    queryset = ApiKey.objects.none()

    @extend_schema(operation_id="api_keys_list", responses=KeyShape(many=True))
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List keys; their text is nowhere to be read."""
        page = self.paginate_queryset(self.access.of(ApiKey))
        return self.get_paginated_response(KeyShape(page, many=True).data)

    @extend_schema(responses={201: IssuedKey})
    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Make a key; its text is in this answer and never again."""
        wanted = self.checked()
        key, text = people.issue_key(self.access, wanted["name"], Role(wanted["role"]), wanted["expires_at"])
        return Response({**KeyShape(key).data, "key": text}, status=201)


class ApiKeyDetail(ScopedView):
    """One key."""

    needs = {"DELETE": Action.MANAGE_KEYS}
    serializer_class = KeyShape
    key: ApiKey

    def locate(self) -> None:
        self.key = self.one(ApiKey, self.kwargs["key_id"])

    @extend_schema(responses={204: None})
    def delete(self, request: Request, **kwargs: Any) -> Response:
        """Revoke a key; it is of no use from now on."""
        self.check_if_match(KeyShape(self.key).data)
        people.revoke_key(self.access, self.key)
        return Response(status=204)
