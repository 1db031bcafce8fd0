"""Functions, classes and properties that nothing calls (vulture).

    python -m tests.lint.dead_code

Frameworks call much by name: through dotted paths in settings and URLs, from templates, or as hooks that a base class
defines. A name that stands anywhere else in sources or templates, in a text too, counts as used; HOOKS are the rest.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from vulture import Vulture

PACKAGES = ("portal", "syncengine", "tenants")
KINDS = {"function", "method", "class", "property"}
CERTAINLY_DEAD = {"import", "unreachable_code"}
WORD = re.compile(r"\w+")
# Called by name, by the framework that the class belongs to.
HOOKS = {
    "Django": "*Config process_view from_db_value to_python get_prep_value has_changed create_superuser",
    "Django's forms": "prepare_value clean_*",
    "Django's dumpdata": "value_to_string",
    "Django REST framework": "authenticate_header has_permission allow_request validate_* get_*",
    "drf-spectacular": "*Scheme _get_schema_response",
    "django-allauth": "is_open_for_signup is_reauthentication_required _get_site_name",
    "fpdf2": "header footer",
    "requests and urllib3": "get_redirect_target extract_cookies init_poolmanager cert_verify",
    "JMESPath": "_func_* visit_*",
    "http.server": "handle_error log_message",
}
CALLED_BY_DECORATOR = ["@register*", "@*.register_lookup", "@admin.*", "@field_validator*", "@receiver*"]
# Flows are found by discovery.
DISCOVERED = "syncengine/flows/"


def sources(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / package).rglob("*.py"))


def words(root: Path) -> Counter[str]:
    """How often each word stands in the sources and templates."""
    templates = sorted((root / "templates").rglob("*.*"))
    return Counter(
        word for path in [*sources(root), *templates] for word in WORD.findall(path.read_text(encoding="utf-8"))
    )


def dead(root: Path) -> Iterator[str]:
    """What vulture finds and nothing names."""
    hooks = [hook for names in HOOKS.values() for hook in names.split()]
    vulture, known = Vulture(ignore_decorators=CALLED_BY_DECORATOR), words(root)
    vulture.scavenge([str(path) for path in sources(root) if "migrations" not in path.parts])
    for item in vulture.get_unused_code(min_confidence=60):
        place = Path(item.filename).relative_to(root).as_posix()
        is_hook = any(fnmatch(item.name, hook) for hook in hooks) or (
            item.typ == "class" and place.startswith(DISCOVERED)
        )
        if item.typ in KINDS and known[item.name] <= 1 and not is_hook:
            yield f"{place}:{item.first_lineno}: {item.typ} {item.name} is used nowhere"
        elif item.typ in CERTAINLY_DEAD:
            yield f"{place}:{item.first_lineno}: {item.message}"


def main() -> int:
    found = list(dead(Path().resolve()))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
