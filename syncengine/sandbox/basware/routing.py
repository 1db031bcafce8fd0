"""Which handler answers which method and path, and under which scope."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from syncengine.sandbox.basware.calls import Handler, Refusal
from syncengine.sandbox.server import SandboxRequest

SCOPE_SUFFIXES = {"GET": "read", "POST": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True)
class Route:
    """``pattern`` is a path with ``{name}`` for what varies; ``api`` is the first half of the scope.

    Handlers run one after another under the store's lock, so that each sees a whole state; ``unlocked`` ones do not.
    """

    method: str
    pattern: str
    api: str
    handler: Handler
    unlocked: bool = False

    @property
    def scope(self) -> str:
        return f"{self.api}.{SCOPE_SUFFIXES[self.method]}"


class Router:
    """Routes by their number of path segments; literal segments win over variable ones."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = sorted(routes, key=lambda route: route.pattern.count("{"))

    def find(self, request: SandboxRequest) -> tuple[Route, dict[str, str]]:
        """The route and its path arguments, percent-decoded. Raises Refusal 404 or 405."""
        path_known = False
        for route in self.routes:
            args = match(route.pattern, request.path)
            if args is not None and route.method == request.method:
                return route, args
            path_known = path_known or args is not None
        if path_known:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here.")
        raise Refusal(HTTPStatus.NOT_FOUND, "ENTITY_NOT_FOUND", "No such resource.")

    def pattern_of(self, path: str) -> str | None:
        return next((route.pattern for route in self.routes if match(route.pattern, path) is not None), None)


def match(pattern: str, path: str) -> dict[str, str] | None:
    """The variable parts of ``path``; an encoded slash inside a part does not split it (contracts: Basware §3.2)."""
    expected, given = pattern.split("/"), path.split("/")
    if len(expected) != len(given):
        return None
    args = {}
    for wanted, part in zip(expected, given, strict=True):
        if wanted.startswith("{") and part:
            args[wanted[1:-1]] = unquote(part)
        elif wanted != part:
            return None
    return args
