"""Which flows there are: found by walking this package, put in the order of their dependencies.

A flow is a module here with a concrete subclass of Flow; nothing else needs to be touched to add one.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

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
def known() -> dict[str, Flow]:
    """Every flow by name, the optional ones included, dependencies first; made once."""
    return in_order({cls.name: cls() for cls in _flow_classes()})


@cache
def flows() -> dict[str, Flow]:
    """The flows that every integration has."""
    return {name: flow for name, flow in known().items() if not flow.optional}


def of(settings: Mapping[str, Any]) -> dict[str, Flow]:
    """The flows of an integration with these settings: those of all, and the optional ones that it switched on."""
    chosen = settings.get("optional_flows") or ()
    return {name: flow for name, flow in known().items() if not flow.optional or name in chosen}


def get(name: str) -> Flow:
    """The flow of that name, optional ones included; KeyError when there is none."""
    return known()[name]
