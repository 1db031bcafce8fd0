"""Request bodies: JSON of a bounded size, without what a database cannot store."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

LARGEST_BODY = 2 * 2**20


class TooLarge(APIException):
    """413."""

    status_code = 413
    default_detail = f"A request has {LARGEST_BODY} bytes at most."
    default_code = "too_large"


class BoundedJSONParser(BaseParser):
    """Refuses NaN, NUL characters, lone surrogates and nesting beyond reason with 400 instead of failing later."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(LARGEST_BODY + 1)
        if len(raw) > LARGEST_BODY:
            raise TooLarge
        try:
            return read_json(raw.decode("utf-8-sig"))
        except ValueError as error:
            raise ParseError(f"This is not JSON that can be used: {error}") from error


def read_json(text: str) -> Any:
    """JSON that a database can store, whoever sent it and by whatever door; ValueError for any other."""
    try:
        data = json.loads(text, parse_float=_finite, parse_constant=_refuse)
        for found in _texts(data):
            _check_text(found)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return data


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant[:40]} is no number that can be used")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("a text holds a NUL character")
    text.encode()  # a lone surrogate cannot be: UnicodeEncodeError is a ValueError
