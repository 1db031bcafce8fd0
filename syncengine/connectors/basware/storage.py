"""Following Basware's redirects to document storage by hand (contracts: Basware §3.4).

The address is pre-signed: a second credential makes the storage refuse, so nothing of the first request goes along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin

from syncengine.connectors.basware.errors import REDIRECTS, Clock, StorageJudge
from syncengine.connectors.basware.settings import BaswareSettings
from syncengine.connectors.guard import Target, host_matches, split_url
from syncengine.connectors.http import Request, Response, Transport
from syncengine.connectors.outcomes import Rejected, Unavailable

MAX_HOPS = 3


@dataclass(frozen=True)
class Fetched:
    """The document, and every answer on the way, the last one first."""

    body: Any
    answers: Sequence[Response]


class Storage:
    """Fetches what a redirect points at, if it points where documents may lie."""

    def __init__(self, settings: BaswareSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock

    def fetch(self, redirect: Response, url: str, most_bytes: int | None = None) -> Fetched:
        """Follow at most three hops from the redirect that `url` answered with; with `most_bytes` to a file.

        Raises StorageRefused when the address is not honoured, Rejected when it points where it may not.
        """
        answers = [redirect]
        for _hop in range(MAX_HOPS):
            url = _target(url, answers[0].header("Location") or "")
            self._check(url)
            judge = StorageJudge(self._clock, as_file=most_bytes is not None)
            headers = {"Accept": "*/*" if judge.as_file else "application/json"}
            answers.insert(0, self._transport.send(Request("GET", url, headers, most_bytes=most_bytes), judge))
            if answers[0].status not in REDIRECTS:
                return Fetched(judge.body, answers)
        raise Unavailable("Basware's document storage redirects in a circle.", code="too_many_redirects")

    def _check(self, url: str) -> None:
        target = split_url(url)
        if not self._allowed(target):
            raise Rejected(
                f"Basware redirects to {target.host}, where documents may not be fetched from.",
                code="redirect_not_allowed",
                hint="If this is Basware's storage, the operator can add its host to BASWARE_STORAGE_HOSTS.",
            )

    def _allowed(self, target: Target) -> bool:
        """The base host and what the operator permits; storage in general only by https."""
        at_home = target.host == split_url(self._settings.base_url).host
        if at_home or self._listed(target.host):
            return True  # whether http:// is permitted there is the transport's guard to say
        return target.secure and host_matches(target.host, self._settings.storage_hosts)

    def _listed(self, host: str) -> bool:
        """Whether the outbound policy has the host by name, or by network when it is written as an address."""
        policy = self._settings.outbound
        try:
            return policy.lists(host, ip_address("127.0.0.1" if host == "localhost" else host))
        except ValueError:
            return policy.names(host)


def _target(url: str, location: str) -> str:
    """The address pointed at; one that cannot even be joined is left for the check to refuse."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location
