"""Exchange rates of a day, read from a service over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from syncengine.connectors.calls import utcnow
from syncengine.connectors.http import Request, Response, Transport
from syncengine.connectors.outcomes import ConnectorError, Rejected, Throttled, Unauthenticated, Unavailable


class RatesClient:
    """One account of the service; `transport` is the seam to the network."""

    def __init__(self, base_url: str, token: str, transport: Transport) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._transport = transport

    def rates(self, day: date) -> Mapping[str, Decimal]:
        """How many units of each currency one euro was on that day. Raises a ConnectorError."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        request = Request("GET", f"{self._base_url}/rates/{day:%Y-%m-%d}", headers=headers)
        response = self._transport.send(request, judge)
        return {str(currency): Decimal(rate) for currency, rate in response.json()["rates"].items()}


def judge(response: Response) -> ConnectorError | None:
    """Which of the six outcomes an answer is; None means ok."""
    status = response.status
    if status == 401:
        return Unauthenticated("The service refused the token.", code="token_refused", login_refused=True)
    if status == 404:
        return Rejected("There are no rates of that day.", code="no_rates", hint="It may be a holiday.", status=status)
    if status == 429:
        return Throttled("The service asks for patience.", after=response.retry_after(utcnow()))
    if status != 200:
        return Unavailable(f"The service answered {status}.", code=f"http_{status}", status=status)
    return None if _is_rates(response) else Unavailable("This is not the rates service.", code="not_rates")


def _is_rates(response: Response) -> bool:
    """A proxy may answer 200 with a page of its own."""
    try:
        return isinstance(response.json()["rates"], Mapping)
    except (ValueError, KeyError, TypeError):
        return False
