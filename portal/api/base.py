"""What all views of the API share: whose data, which object, who may, and If-Match."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar, TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.renderers import ExactJSONRenderer
from portal.api.throttling import headers_of
from portal.rates import Standing
from tenants.models import Integration
from tenants.models.scoped import ScopedModel
from tenants.permissions import Action
from tenants.row_security import bound_to
from tenants.scoping import Access

S = TypeVar("S", bound=ScopedModel)


class PreconditionFailed(APIException):
    """412: what If-Match names is not what is there now."""

    status_code = 412
    default_detail = "It was changed since you read it: read it again."
    default_code = "precondition_failed"


class ScopedView(GenericAPIView[Any]):
    """One resource of the caller's organization.

    `needs` names the action behind each method: a method that is not in it is 405. `locate` finds the objects that
    the address names, before the role is looked at.
    """

    needs: ClassVar[Mapping[str, Action]] = {}
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    standing: Standing | None = None

    @property
    def access(self) -> Access:
        access = self.request.auth
        assert isinstance(access, Access)  # HasRole lets nobody else in
        return access

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._while_answering:
            return super().dispatch(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """From the moment we know whose request it is, the database shows that organization's rows only."""
        super().perform_authentication(request)
        if isinstance(request.auth, Access):
            self._while_answering.enter_context(bound_to(request.auth.organization))

    def check_permissions(self, request: Request) -> None:
        """Counted before anything is looked for, so that what is refused counts too."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """It was done before: see check_permissions."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Whatever the answer is, it says how the caller stands with the limit of the rate."""
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in headers_of(self.standing).items() if self.standing else ():
            final.headers[name] = value
        return final

    def locate(self) -> None:
        """Find what the address names; Http404 for what is not there or not the caller's."""

    def one(self, model: type[S], key: Any, rows: QuerySet[S] | None = None) -> S:
        """An object of the caller's organization by its id."""
        found = (self.access.of(model) if rows is None else rows).filter(pk=key).first()
        if found is None:
            raise Http404
        return found

    def checked(self, data: Any = None, **options: Any) -> dict[str, Any]:
        """The request's body by the view's serializer; a ValidationError names every bad field."""
        serializer = self.get_serializer(data=self.request.data if data is None else data, **options)
        serializer.is_valid(raise_exception=True)
        validated: dict[str, Any] = serializer.validated_data
        return validated

    def check_if_match(self, representation: Any) -> None:
        """Honour If-Match against what a GET would show now."""
        wanted = self.request.headers.get("If-Match")
        if wanted and wanted.strip() != "*" and etag(representation) not in {tag.strip() for tag in wanted.split(",")}:
            raise PreconditionFailed

    def answer(self, representation: Any) -> Response:
        """200 with the ETag that If-Match may carry; 304 to a GET whose If-None-Match names it already."""
        tag = etag(representation)
        known = {name.strip().removeprefix("W/") for name in self.request.headers.get("If-None-Match", "").split(",")}
        if self.request.method in SAFE_METHODS and known & {tag, "*"}:
            return Response(status=304, headers={"ETag": tag})
        return Response(representation, headers={"ETag": tag})


class IntegrationView(ScopedView):
    """A resource below `integrations/{id}/`."""

    integration: Integration

    def locate(self) -> None:
        self.integration = self.one(Integration, self.kwargs["integration_id"])
        self.integration.organization = self.access.organization


def etag(representation: Any) -> str:
    """A strong tag of what is shown."""
    shown = ExactJSONRenderer().render(representation)
    return f'"{hashlib.sha256(shown).hexdigest()[:32]}"'


def trigger_of(request: Request) -> str:
    """Whether a person at a browser or a program asked."""
    return "api" if isinstance(request.auth, Access) and request.auth.api_key else "person"
