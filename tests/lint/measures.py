"""Size and shape of the code: the numbers of the house style, and the rules that hold tenants apart.

    python -m tests.lint.measures

Prints every offender with its place and ends with 1 when there is one.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("portal", "syncengine", "tenants")
MEDIAN_FUNCTION, LONGEST_FUNCTION, LONGEST_MODULE = 10, 60, 400
HTTP_LIBRARIES = {"requests", "urllib3", "requests_hardened", "httpx", "aiohttp"}
HTTP_SEAM = {"syncengine/connectors/http.py", "syncengine/connectors/guard.py", "syncengine/connectors/wire.py"}
SCOPED_PLACES = ("portal/views/", "portal/api/")
UNSCOPED_GET = re.compile(r"\.objects\s*\.get\(\s*(pk|id)\s*=")


@dataclass(frozen=True)
class Module:
    """One file of Python."""

    place: str
    text: str
    tree: ast.Module = field(repr=False)

    @classmethod
    def read(cls, root: Path, path: Path) -> Module:
        text = path.read_text(encoding="utf-8")
        return cls(path.relative_to(root).as_posix(), text, ast.parse(text))

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def functions(self) -> Iterator[tuple[str, int, int]]:
        """Name, line and length of each function, its decorators left out."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1

    @property
    def imported(self) -> Iterator[tuple[str, int]]:
        """The top package and the line of each import."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((name.name.partition(".")[0], node.lineno) for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], node.lineno


def modules(root: Path, packages: Iterable[str]) -> list[Module]:
    """Every module of the packages but migrations, which are written by a machine."""
    paths = sorted(path for package in packages for path in (root / package).rglob("*.py"))
    return [Module.read(root, path) for path in paths if "migrations" not in path.parts]


def long_functions(source: list[Module]) -> Iterator[str]:
    lengths = []
    for module in source:
        for name, line, length in module.functions:
            lengths.append(length)
            if length > LONGEST_FUNCTION:
                yield f"{module.place}:{line}: {name} has {length} lines, more than {LONGEST_FUNCTION}"
    median = statistics.median(lengths) if lengths else 0
    if median > MEDIAN_FUNCTION:
        yield f"the median function has {median:g} lines, more than {MEDIAN_FUNCTION}"


def long_modules(code: list[Module]) -> Iterator[str]:
    for module in code:
        if module.lines > LONGEST_MODULE:
            yield f"{module.place}: {module.lines} lines, more than {LONGEST_MODULE}"


def too_few_tests(source: list[Module], tests: list[Module]) -> Iterator[str]:
    of_source, of_tests = sum(module.lines for module in source), sum(module.lines for module in tests)
    if of_tests < of_source:
        yield f"{of_tests} lines of test are fewer than {of_source} lines of source"


def second_http_library(source: list[Module]) -> Iterator[str]:
    for module in source:
        for name, line in module.imported:
            if name in HTTP_LIBRARIES and module.place not in HTTP_SEAM:
                yield f"{module.place}:{line}: imports {name}; only the seam in syncengine/connectors may"


def unscoped_queries(source: list[Module]) -> Iterator[str]:
    for module in source:
        if module.place.startswith(SCOPED_PLACES):
            for found in UNSCOPED_GET.finditer(module.text):
                line = module.text.count("\n", 0, found.start()) + 1
                yield f"{module.place}:{line}: .objects.get({found[1]}=…) goes round the scope of the organization"


def offences(root: Path) -> list[str]:
    source, tests = modules(root, PACKAGES), modules(root, ["tests"])
    return [
        *long_functions(source),
        *long_modules([*source, *tests]),
        *too_few_tests(source, tests),
        *second_http_library(source),
        *unscoped_queries(source),
    ]


def main(root: Path = Path()) -> int:
    found = offences(root)
    sys.stdout.write("".join(f"{offence}\n" for offence in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
