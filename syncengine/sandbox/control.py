"""The control API: what a test or a demo tells the sandboxes to do. JSON in, JSON out, on a port of its own.

    GET    /                 every call with its description
    GET    /requests         {"sap_b1": {"total": 3, "counts": {"GET /b1s/v2/Projects": 3}, "log": […]}, …}
                             (?system= for one, ?log=0 without the calls)
    DELETE /requests         counts and logs start again
    GET    /faults           what is switched on, per system
    POST   /faults           {"system": "sap_b1", "kind": "status", …} (faults.py says which kinds there are)
    DELETE /faults           all off (?system= for one)
    POST   /reset            faults off, counts cleared, state back to the data set

A sandbox registers itself and what else it can be told:

    control = ControlServer(port=0)
    control.register_system("basware", server, reset=server.reset)
    control.register("POST", "/basware/retransfer", function)   # function(payload: dict) -> anything JSON can carry

`function` gets the JSON body (of a GET: the query parameters) and its docstring is its description. `ControlError`
(or ValueError, KeyError) becomes 400 `{"error": …}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.faults import Fault
from syncengine.sandbox.server import SandboxRequest, SandboxResponse, SandboxServer, json_response

Action = Callable[[dict[str, Any]], Any]


class ControlError(ValueError):
    """What was asked cannot be done; the text says why."""


@dataclass(frozen=True)
class _System:
    server: SandboxServer
    reset: Callable[[], None]


class ControlServer(SandboxServer):
    """One for both sandboxes."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self._systems: dict[str, _System] = {}
        self._actions: dict[tuple[str, str], Action] = {}
        for method, path, action in [
            ("GET", "/", self._describe_actions),
            ("GET", "/requests", self._requests),
            ("DELETE", "/requests", self._clear_requests),
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._add_fault),
            ("DELETE", "/faults", self._clear_faults),
            ("POST", "/reset", self._reset),
        ]:
            self.register(method, path, action)

    def register_system(self, name: str, server: SandboxServer, reset: Callable[[], None]) -> None:
        self._systems[name] = _System(server, reset)

    def register(self, method: str, path: str, action: Action) -> None:
        self._actions[method, path] = action

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        action = self._actions.get((request.method, request.decoded_path))
        if action is None:
            return json_response(404, {"error": f"no {request.method} {request.decoded_path}; see GET /"})
        try:
            return json_response(200, action(_payload(request)))
        except KeyError as error:
            return json_response(400, {"error": f"needs or does not know {error}"})
        except (ValueError, TypeError) as error:
            return json_response(400, {"error": str(error)})

    def _chosen(self, payload: dict[str, Any]) -> dict[str, _System]:
        name = payload.get("system")
        return self._systems if name is None else {name: self._systems[name]}

    def _describe_actions(self, _: dict[str, Any]) -> dict[str, str]:
        """What can be asked here."""
        return {f"{method} {path}": _first_line(action) for (method, path), action in sorted(self._actions.items())}

    def _requests(self, payload: dict[str, Any]) -> dict[str, Any]:
        """How often each call came, and the last calls."""
        return {name: _traffic(system.server, payload) for name, system in self._chosen(payload).items()}

    def _clear_requests(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Starts counting again."""
        for system in self._chosen(payload).values():
            system.server.requests.clear()
        return {}

    def _faults(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The faults switched on."""
        chosen = self._chosen(payload)
        return {name: [fault.as_dict() for fault in system.server.faults.active()] for name, system in chosen.items()}

    def _add_fault(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Switches a fault on for one system."""
        system = self._systems[payload.pop("system")]
        return system.server.faults.add(Fault.of(payload)).as_dict()

    def _clear_faults(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Switches all faults off."""
        for system in self._chosen(payload).values():
            system.server.faults.clear()
        return {}

    def _reset(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Back to the data set, without faults and counts."""
        for system in self._chosen(payload).values():
            system.server.faults.clear()
            system.server.requests.clear()
            system.reset()
        return {}


def _payload(request: SandboxRequest) -> dict[str, Any]:
    if not request.body:
        return dict(request.params)
    body = request.json()
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return {**request.params, **body}


def _traffic(server: SandboxServer, payload: dict[str, Any]) -> dict[str, Any]:
    counts = server.requests.counts()
    log = [] if payload.get("log") == "0" else server.requests.log()
    return {"total": sum(counts.values()), "counts": counts, "log": log}


def _first_line(action: Action) -> str:
    return (action.__doc__ or "").strip().partition("\n")[0]
