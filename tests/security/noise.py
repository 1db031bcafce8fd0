"""Hostile input in quantity: seeded, so that what fails once fails again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

MANY = 10_000
_LETTERS = "abcXYZ019 _-.,:;'\"\\/|&<>%$#@!?*+=()[]{}~`^\t\n\r\0\u200f\u202e\u00e5\u0130\u2028\ufffe\ud800😀‘’＇"
_NUMBERS = ("0", "-0", "1e400", "-1E-400", "1" * 400, "0.1", "1e999999999", "NaN", "-Infinity", "00", "+1", "1.", ".5")
_SCALARS: tuple[Any, ...] = (None, True, False, 0, -1, 2**63, 10**40, 1.5, "", "x", "'", "\u0000", "ö" * 300, [], {})


class Noise:
    """A source of nonsense."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def text(self, longest: int = 40, letters: str = _LETTERS) -> str:
        return "".join(self.random.choices(letters, k=self.random.randrange(longest)))

    def value(self, depth: int = 3) -> Any:
        """Anything that JSON can hold."""
        draw = self.random.random()
        if depth and draw < 0.25:
            return [self.value(depth - 1) for _ in range(self.random.randrange(4))]
        if depth and draw < 0.5:
            return {self.text(8): self.value(depth - 1) for _ in range(self.random.randrange(4))}
        return self.random.choice(_SCALARS) if draw < 0.9 else self.text()

    def spoiled(self, document: Any) -> Any:
        """The document with some of its parts replaced, left out or wrapped."""
        if isinstance(document, dict):
            kept = {key: self.spoiled(value) for key, value in document.items() if self.random.random() > 0.1}
            return kept if self.random.random() > 0.1 else {**kept, self.text(8): self.value(2)}
        if isinstance(document, list):
            return [self.spoiled(value) for value in document] * self.random.choice((1, 1, 1, 0, 2))
        return document if self.random.random() > 0.2 else self.value(2)

    def json(self, document: Any) -> bytes:
        """Bytes that may be JSON: spoiled in their meaning, their letters or their size."""
        text = json.dumps(self.spoiled(document), ensure_ascii=self.random.random() < 0.5)
        return self.random.choice(_MANGLES)(self, text)

    def mangled(self, data: bytes) -> bytes:
        """Bytes with some of them changed, lost or doubled."""
        spoiled = bytearray(data)
        for _ in range(self.random.randrange(1, 4)):
            place = self.random.randrange(len(spoiled) + 1)
            spoiled[place : place + self.random.randrange(3)] = self.random.randbytes(self.random.randrange(3))
        return bytes(spoiled)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogatepass")


def _deep(noise: Noise, text: str) -> bytes:
    depth = noise.random.choice((5, 60, 1_200, 20_000))
    opening, closing = noise.random.choice((("[", "]"), ('{"a":', "}")))
    return _encoded(opening * depth + text + closing * noise.random.choice((depth, 0)))


def _number(noise: Noise, text: str) -> bytes:
    return _encoded(text.replace("1", noise.random.choice(_NUMBERS), 1))


def _twice(noise: Noise, text: str) -> bytes:
    """The same key again with another value."""
    return _encoded(text.replace("{", '{"taskType": 1, "taskType": "Other", ', 1))


_MANGLES: tuple[Callable[[Noise, str], bytes], ...] = (
    lambda _, text: _encoded(text),
    lambda _, text: _encoded(text),
    lambda noise, text: noise.mangled(_encoded(text)),
    lambda noise, text: _encoded(text)[: noise.random.randrange(len(text) + 1)],
    lambda _, text: b"\xef\xbb\xbf" + _encoded(text),
    lambda _, text: text.encode("utf-16", errors="surrogatepass"),
    lambda noise, _: noise.random.randbytes(noise.random.randrange(200)),
    _number,
    _twice,
    _deep,
)


def inputs(seed: str, make: Callable[[Noise], Any], many: int = MANY) -> Iterator[Any]:
    """`many` inputs, each made anew."""
    noise = Noise(seed)
    for _ in range(many):
        yield make(noise)
