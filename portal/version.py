"""The version that runs: a checkout need not be installed as a package."""

from __future__ import annotations

import tomllib
from pathlib import Path


def _read() -> str:
    with (Path(__file__).resolve().parent.parent / "pyproject.toml").open("rb") as file:
        found: str = tomllib.load(file)["project"]["version"]
    return found


VERSION = _read()
