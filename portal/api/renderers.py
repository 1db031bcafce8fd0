"""Answers: JSON with every amount as a decimal string, never in exponent form."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class ExactEncoder(JSONEncoder):
    """`Decimal("1E+2")` is "100"."""

    def default(self, obj: Any) -> Any:
        return format(obj, "f") if isinstance(obj, Decimal) else super().default(obj)


class ExactJSONRenderer(JSONRenderer):
    """What all views answer with; problems come as `application/problem+json` by their content type."""

    encoder_class = ExactEncoder
