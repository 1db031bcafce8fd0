"""The fields of Basware's entities as rules name them."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.connectors.basware.fields import Entity, Kind


def field_paths(entity: Entity, prefix: str = "") -> Iterator[str]:
    """Every field and, below objects, every field's field; a list is filled as a whole."""
    for name, field in entity.items():
        yield f"{prefix}{name}"
        if field.kind is Kind.OBJECT and field.of is not None:
            yield from field_paths(field.of, f"{prefix}{name}.")


def markable(entity: Entity) -> Iterator[str]:
    """The fields that can carry a revision mark: free texts and lists of translations, codes and literals left out."""
    for name, field in entity.items():
        is_text = field.kind is Kind.TEXT and not (field.required or field.among or field.pattern)
        if is_text or "translation" in (field.of or ()):
            yield name
