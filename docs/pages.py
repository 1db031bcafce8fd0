"""The menu names every page that belongs there; one whose part of the project is absent is left out of it.

A menu entry that is a folder stands for the pages in it, in the order of their names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def on_config(config: Any) -> Any:
    """mkdocs calls this before it reads the pages."""
    config["nav"] = _there(config["nav"])
    return config


def _there(entries: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for entry in entries:
        [(title, target)] = entry.items()
        if isinstance(target, list):
            kept += [{title: found}] if (found := _there(target)) else []
        elif (HERE / target).is_dir():
            kept.append({title: sorted(str(page.relative_to(HERE)) for page in (HERE / target).rglob("*.md"))})
        elif (HERE / target).is_file():
            kept.append(entry)
    return kept
