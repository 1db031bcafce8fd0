"""An integration's configuration as a file."""

from __future__ import annotations

from rest_framework import serializers

from portal.api.shapes.common import Shape
from portal.api.shapes.mappings import Anything


class ConfigurationShape(Shape):
    """The file: settings, flows and mappings; neither addresses nor secrets."""

    version = serializers.IntegerField()
    name = serializers.CharField()
    settings = serializers.DictField()
    flows = serializers.DictField()
    mappings = serializers.DictField()


class ConfigurationSent(Shape):
    """A file to be compared, and applied if asked to."""

    configuration = serializers.DictField()
    apply = serializers.BooleanField(default=False)


class ChangeShape(Shape):
    """One thing that differs."""

    path = serializers.CharField()
    before = Anything()
    after = Anything()


class ChangesShape(Shape):
    """What the file changes, or has changed."""

    applied = serializers.BooleanField()
    changes = ChangeShape(many=True)
