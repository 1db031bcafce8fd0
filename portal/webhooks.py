"""Where Basware's notifications and SAP's hints arrive: an answer within milliseconds."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from portal.addresses import client_address
from portal.rates import Rate
from syncengine.connectors.basware.signature import HEADER
from syncengine.engine import hints
from syncengine.engine.quarantine import LARGEST_BODY, Refusal, Sender, refuse
from syncengine.engine.webhooks import addressed, receive
from tenants.models import Integration
from tenants.scoping import access_of_key

# Of bad signatures and passwords only: good ones are never counted, so nobody can crowd them out.
BAD_RATE = Rate(120, 60)
_DIGITS = 10


@csrf_exempt
@require_POST
def basware(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """contracts: Basware §16.3. The id in the address is not a secret; the signature decides."""
    address, now = client_address(request), timezone.now()
    integration, held = addressed(webhook_id, now)
    if integration is None:
        return JsonResponse({"detail": "There is no such address."}, status=404)
    body = _body(request)
    if body is None:
        refuse(integration, Refusal.TOO_LARGE, now, Sender(address, _announced(request) or LARGEST_BODY + 1))
        return JsonResponse({"detail": f"A notification has {LARGEST_BODY} bytes at most."}, status=413)
    signature = request.headers.get(HEADER)
    status, answer = receive(integration, body, signature, now, lambda: _tolerated(address), address, held)
    return JsonResponse(answer, status=status)


@csrf_exempt
@require_POST
def sap(request: HttpRequest, integration_id: int) -> HttpResponse:
    """SAP's own webhooks (Service Layer of 10.0 FP 2602 and later): something has changed, so look now.

    Their password is an API key, by Basic authentication: how SAP signs is not published. Nor is what it sends, so
    nothing of that is read. Any role will do, since SAP keeps the key readable: one that may only read is best there.
    """
    access = access_of_key(_password(request), timezone.now())
    if access is None:
        return _unknown(client_address(request))
    integration = access.of(Integration).filter(pk=integration_id).first()
    if integration is None:
        return JsonResponse({"detail": "There is no such integration."}, status=404)
    hints.note(integration, timezone.now())
    return JsonResponse({"status": "noted"}, status=202)


def _password(request: HttpRequest) -> str:
    """That of Basic authentication; empty when there is none."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _unknown(address: str) -> HttpResponse:
    if wait := BAD_RATE.exceeded(f"sap-webhook:{address}"):
        return JsonResponse({"detail": "Too many wrong passwords."}, status=429, headers={"Retry-After": str(wait)})
    detail = {"detail": "The password of Basic authentication must be an API key."}
    return JsonResponse(detail, status=401, headers={"WWW-Authenticate": 'Basic realm="Ledgerbridge"'})


def _body(request: HttpRequest) -> bytes | None:
    """The bytes as received; None for too many, which are not even read."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        # Django reads a body by its announced length only; without one the server ends the stream itself.
        body: bytes = request.META["wsgi.input"].read(LARGEST_BODY + 1)
        return None if len(body) > LARGEST_BODY else body
    return None if _announced(request) > LARGEST_BODY else request.body


def _announced(request: HttpRequest) -> int:
    length = request.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < _DIGITS else 0


def _tolerated(address: str) -> bool:
    return not BAD_RATE.exceeded(f"webhook:{address}")
