"""Set-up faults as customers have them, one at a time: what a ping has to tell apart.

    seeds = Seeds(sandboxes)
    seeds.plant("sap-certificate-expired")   # {"base_url": "https://127.0.0.1:41235/b1s/v2"}: the connection to use
    seeds.clear()                            # the sandboxes are well again

What is planted lies in the sandbox, in the connection that leads to it, or in both. The control API has it as
`GET /seeds` (names and titles), `POST /seeds {"name": …}` (answers with the fields of the connection that change) and
`DELETE /seeds`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncengine.sandbox.basware.tokens import KNOWN_SCOPES
from syncengine.sandbox.control import ControlError, ControlServer
from syncengine.sandbox.tls_front import Certificate, TlsFront

if TYPE_CHECKING:
    from syncengine.sandbox.launch import Sandboxes

Fields = dict[str, str]
NOT_PERMITTED = "You are not permitted to perform this action"


@dataclass(frozen=True)
class Seed:
    """One fault: where it lies, in words, and how it gets there."""

    system: str
    title: str
    plant: Callable[[Seeds], Fields | None]


class Seeds:
    """Plants faults in running sandboxes, and takes them away again."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self.sandboxes = sandboxes
        self._fronts: list[TlsFront] = []

    def plant(self, name: str) -> Fields:
        """Gives the fields of the connection that lead to the fault. Raises ControlError for an unknown name."""
        if name not in SEEDS:
            raise ControlError(f"no seed {name}; there are {', '.join(SEEDS)}")
        return SEEDS[name].plant(self) or {}

    def clear(self) -> None:
        """Both sandboxes as they were in everything that seeds touch; documents stay."""
        while self._fronts:
            self._fronts.pop().stop()
        sap, basware = self.sandboxes.sap, self.sandboxes.basware
        for server in (sap, basware, basware.storage):
            server.faults.clear()
        with sap.company.store.transaction():
            sap.company.change_settings(branches=False, approval_mode=False)
        basware.switches.change({"allowed_scopes": None})
        basware.tokens.expire_all()

    def register(self, control: ControlServer) -> None:
        control.register("GET", "/seeds", self._titles)
        control.register("POST", "/seeds", self._plant)
        control.register("DELETE", "/seeds", self._clear)

    def _titles(self, _: dict[str, Any]) -> dict[str, str]:
        """The set-up faults that can be planted."""
        return {name: f"{seed.system}: {seed.title}" for name, seed in SEEDS.items()}

    def _plant(self, payload: dict[str, Any]) -> Fields:
        """Plants {"name": "sap-certificate-expired"} and the like; answers with the connection's fields to change."""
        return self.plant(payload["name"])

    def _clear(self, _: dict[str, Any]) -> dict[str, Any]:
        """Takes all planted faults away."""
        self.clear()
        return {}

    # What seeds are made of

    def front(self, certificate: Certificate, *, trusted: bool = True) -> Fields:
        """SAP behind TLS with this certificate; whether the connection trusts its CA."""
        front = TlsFront(self.sandboxes.sap.port, certificate).start()
        self._fronts.append(front)
        return {"base_url": f"{front.url}/b1s/v2", "ca_certificate": certificate.authority if trusted else ""}

    def sap_fault(self, kind: str, path: str, method: str = "*", **more: Any) -> None:
        self.sandboxes.sap.faults.add({"kind": kind, "path": path, "method": method, "count": 0, **more})

    def sap_forbids(self, method: str, path: str) -> None:
        self.sap_fault("error", path, method, code=-6006, status=400, message=NOT_PERMITTED)

    def sap_setting(self, **settings: Any) -> None:
        with self.sandboxes.sap.company.store.transaction():
            self.sandboxes.sap.company.change_settings(**settings)

    def basware_fault(self, kind: str, path: str, method: str = "*", **more: Any) -> None:
        self.sandboxes.basware.faults.add({"kind": kind, "path": path, "method": method, "count": 0, **more})

    def storage_fault(self, status: int) -> None:
        self.sandboxes.basware.storage.faults.add({"kind": "status", "status": status, "count": 0})

    def scopes(self, allowed: list[str]) -> None:
        """What the client is granted from now on; tokens given out before are no longer good."""
        self.sandboxes.basware.switches.change({"allowed_scopes": allowed})
        self.sandboxes.basware.tokens.expire_all()

    def no_subscriptions(self) -> None:
        store = self.sandboxes.basware.store
        with store.transaction():
            store.collection("subscriptions").clear()


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _sap(title: str, plant: Callable[[Seeds], Fields | None]) -> Seed:
    return Seed("sap_b1", title, plant)


def _basware(title: str, plant: Callable[[Seeds], Fields | None]) -> Seed:
    return Seed("basware", title, plant)


SEEDS: dict[str, Seed] = {
    "sap-name-unknown": _sap("the host name does not exist", lambda _: {"base_url": "https://sap.invalid/b1s/v2"}),
    "sap-port-closed": _sap(
        "nothing listens at the port", lambda _: {"base_url": f"http://127.0.0.1:{_closed_port()}/b1s/v2"}
    ),
    "sap-certificate-expired": _sap("its certificate has expired", lambda to: to.front(Certificate.signed(days=-4))),
    "sap-certificate-ends": _sap("its certificate ends in 12 days", lambda to: to.front(Certificate.signed(days=12))),
    "sap-certificate-name": _sap(
        "its certificate is another host's", lambda to: to.front(Certificate.signed("sap.example.com"))
    ),
    "sap-certificate-unknown": _sap("its CA is not trusted", lambda to: to.front(Certificate.signed(), trusted=False)),
    "sap-plain-port": _sap(
        "its port speaks plain HTTP",
        lambda to: {"base_url": f"https://127.0.0.1:{to.sandboxes.sap.port}/b1s/v2"},
    ),
    "sap-proxy-down": _sap("a proxy has nothing behind it", lambda to: to.sap_fault("status", "", status=502)),
    "sap-path-case": _sap(
        "the path is in the wrong case",
        lambda to: {"base_url": to.sandboxes.sap.base_url.replace("/b1s/", "/B1S/")},
    ),
    "sap-password": _sap("the password is wrong", lambda _: {"password": "not-the-password"}),
    "sap-company": _sap("the company database does not exist", lambda _: {"company_db": "SBO_NOWHERE"}),
    "sap-licence": _sap(
        "the user has no licence",
        lambda to: to.sap_fault("error", "/Login$", code=-5027, status=500, message="Switch company error: -5027"),
    ),
    "sap-read-vendors": _sap(
        "the user may not read vendors", lambda to: to.sap_forbids("GET", r"/BusinessPartners(\?|$)")
    ),
    "sap-read-orders": _sap("the user may not read orders", lambda to: to.sap_forbids("GET", r"/PurchaseOrders(\?|$)")),
    "sap-add-invoices": _sap("the user may not add invoices", lambda to: to.sap_forbids("POST", "/PurchaseInvoices$")),
    "sap-add-credits": _sap(
        "the user may not add credit memos", lambda to: to.sap_forbids("POST", "/PurchaseCreditNotes$")
    ),
    "sap-field": _sap("the own field is missing", lambda _: {"user_defined_id_field": "U_NoSuchField"}),
    "sap-tax-field": _sap("the company has no sales tax codes", lambda _: {"tax_field": "TaxCode"}),
    "sap-branches": _sap("the user has no branch", lambda to: to.sap_setting(branches=True)),
    "sap-approval": _sap("approval applies to the user", lambda to: to.sap_setting(approval_mode=True)),
    "basware-name-unknown": _basware("the region does not exist", lambda _: {"base_url": "https://api.xx.invalid"}),
    "basware-secret": _basware("the client secret is wrong", lambda _: {"client_secret": "not-the-secret"}),
    "basware-no-scope": _basware("the client has no scope at all", lambda to: to.scopes([])),
    "basware-scope": _basware(
        "one scope is not granted", lambda to: to.scopes(sorted(KNOWN_SCOPES - {"vendors.write"}))
    ),
    "basware-web-page": _basware(
        "a web page answers for the token service",
        lambda to: to.basware_fault("status", "/v1/tokens$", status=200, body="<html>Welcome</html>"),
    ),
    "basware-token-refused": _basware(
        "tokens are given and not accepted", lambda to: to.basware_fault("error", "/v2/projects", status=401)
    ),
    "basware-down": _basware("the API answers 500", lambda to: to.basware_fault("error", "/v2/projects", status=500)),
    "basware-documents": _basware(
        "documents may not be read", lambda to: to.basware_fault("error", "/v1/accountingDocuments", "GET", status=403)
    ),
    "basware-storage": _basware("the document storage refuses", lambda to: to.storage_fault(403)),
    "basware-throttled": _basware(
        "the request limit is reached",
        lambda to: to.basware_fault("error", "/v1/requestStatus", status=429, retry_after=30),
    ),
    "basware-subscription": _basware("somebody removed our subscription", lambda to: to.no_subscriptions()),
}
