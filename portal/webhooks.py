"""Where Basware's notifications arrive: raw bytes, a signature, an answer within milliseconds."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from portal.addresses import client_address
from portal.rates import Rate
from syncengine.connectors.basware.signature import HEADER
from syncengine.engine.webhooks import LARGEST_BODY, receive
from tenants.models import Integration

# Of bad signatures only: good ones are never counted, so nobody can crowd them out.
BAD_RATE = Rate(120, 60)


@csrf_exempt
@require_POST
def basware(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """contracts: Basware §16.3. The id in the address is not a secret; the signature decides."""
    integration = Integration.objects.filter(webhook_id=webhook_id).first()
    if integration is None:
        return JsonResponse({"detail": "There is no such address."}, status=404)
    body = _body(request)
    if body is None:
        return JsonResponse({"detail": f"A notification has {LARGEST_BODY} bytes at most."}, status=413)
    status, answer = receive(
        integration, body, request.headers.get(HEADER), timezone.now(), lambda: _tolerated(request)
    )
    return JsonResponse(answer, status=status)


def _body(request: HttpRequest) -> bytes | None:
    """The bytes as received; None for too many, which are not even read."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        # Django reads a body by its announced length only; without one the server ends the stream itself.
        body: bytes = request.META["wsgi.input"].read(LARGEST_BODY + 1)
        return None if len(body) > LARGEST_BODY else body
    announced = request.headers.get("Content-Length", "")
    return None if announced.isdigit() and int(announced) > LARGEST_BODY else request.body


def _tolerated(request: HttpRequest) -> bool:
    return not BAD_RATE.exceeded(f"webhook:{client_address(request)}")
