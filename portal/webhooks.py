"""Where Basware's notifications arrive: raw bytes, a signature, an answer within milliseconds."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from portal.addresses import client_address
from portal.rates import Rate
from syncengine.connectors.basware.signature import HEADER
from syncengine.engine.quarantine import LARGEST_BODY, Refusal, Sender, refuse
from syncengine.engine.webhooks import addressed, receive

# Of bad signatures only: good ones are never counted, so nobody can crowd them out.
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
