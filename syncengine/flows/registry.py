"""Which flows there are: found by walking this package, put in the order of their dependencies.

A flow is a module here with a concrete subclass of Flow; nothing else needs to be touched to add one.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache

from syncengine import flows as package
from syncengine.flows.base import Flow


def _flow_classes() -> Iterator[type[Flow]]:
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, Flow) and not inspect.isabstract(found) and found.__module__ == module.__name__:
                yield found


def in_order(found: Mapping[str, Flow]) -> dict[str, Flow]:
    """Dependencies first, else by position; RuntimeError when flows wait for each other."""
    left = dict(sorted(found.items(), key=lambda item: (item[1].position, item[0])))
    ordered: dict[str, Flow] = {}
    while left:
        ready = next((name for name, flow in left.items() if not left.keys() & set(flow.depends_on)), None)
        if ready is None:
            raise RuntimeError(f"flows depend on each other in a circle: {', '.join(left)}")
        ordered[ready] = left.pop(ready)
    return ordered


@cache
def flows() -> dict[str, Flow]:
    """Every flow by name, dependencies first; made once."""
    return in_order({cls.name: cls() for cls in _flow_classes()})


def get(name: str) -> Flow:
    """The flow of that name; KeyError when there is none."""
    return flows()[name]
