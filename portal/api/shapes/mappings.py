"""Field mappings and their preview."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.api.shapes.common import ProblemShape, Shape
from syncengine.mapping.rules import MAX_RULES


@extend_schema_field(OpenApiTypes.ANY)
class Anything(serializers.JSONField):
    """Any JSON."""


class RuleShape(Shape):
    """One rule, as the schema describes it; syncengine.mapping checks it."""

    target = serializers.CharField()
    source = serializers.CharField(help_text="JMESPath over the source record")  # type: ignore[assignment]  # a field that is called so
    default = Anything(required=False)
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]  # a field that is called so
    lookup = serializers.CharField(required=False, allow_null=True)


@extend_schema_field(RuleShape(many=True))
class Rules(serializers.ListField):
    """Rules as they are: what is wrong with each is told by its position."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.DictField(), max_length=MAX_RULES, **options)


class MappingShape(Shape):
    """The mapping in force; version 0 is the defaults."""

    rules = Rules()
    lookups = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
    version = serializers.IntegerField()


class NewMapping(Shape):
    """A new version; lookups that are left out stay as they are."""

    rules = Rules()
    lookups = serializers.DictField(required=False, help_text="tables by name, each from text to text")
    version = serializers.IntegerField(required=False, read_only=True)


class PreviewRequest(Shape):
    """A record of the source by its key, and rules to try in place of those in force."""

    key = serializers.CharField(required=False, allow_null=True, max_length=200, default=None)
    rules = Rules(required=False, allow_null=True, default=None)


class PreviewShape(Shape):
    """What the mapping makes of it."""

    source = Anything()  # type: ignore[assignment]  # a field that is called so
    target = Anything()
    problems = ProblemShape(many=True)
