"""Which flows there are: found by walking this package, put in the order of their dependencies.

A flow is a module here with one public subclass of Flow that has a `name`; nothing else needs to be touched to add one.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter

from syncengine import flows as package
from syncengine.flows.base import Flow


def _flow_classes() -> Iterator[type[Flow]]:
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, Flow) and not inspect.isabstract(found) and found.__module__ == module.__name__:
                yield found


@cache
def flows() -> dict[str, Flow]:
    """Every flow by name, dependencies first; flows that do not depend on each other keep their names' order."""
    found = {cls.name: cls() for cls in sorted(_flow_classes(), key=lambda cls: (cls.position, cls.name))}
    graph = {name: [other for other in flow.depends_on if other in found] for name, flow in found.items()}
    return {name: found[name] for name in TopologicalSorter(graph).static_order()}


def get(name: str) -> Flow:
    """The flow of that name; KeyError when there is none."""
    return flows()[name]
