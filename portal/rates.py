"""Counting per window in the cache that all processes share: how many, and how long until the next window."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"(?P<limit>[1-9]\d{0,8})\s*/\s*(?P<period>s(ec(ond)?)?|m(in(ute)?)?|h(our)?|d(ay)?)")


@dataclass(frozen=True)
class Standing:
    """How somebody stands in their window: `left` is negative once it is exceeded, `resets` in whole seconds."""

    limit: int
    left: int
    resets: int

    @property
    def wait(self) -> int:
        """Seconds to wait; 0 while within the limit."""
        return self.resets if self.left < 0 else 0


@dataclass(frozen=True)
class Rate:
    """`limit` in each window of `seconds`."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """A rate as in the settings: `6000/min`, `20/hour`. ValueError for what is none."""
        found = _RATE.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError(f"{text!r} is no rate")
        return cls(int(found["limit"]), _SECONDS[found["period"][0]])

    def exceeded(self, who: str, now: float | None = None) -> int:
        """Count one more for `who`; 0 while within the limit, else the whole seconds until the window ends."""
        return self.counted(who, now).wait

    def counted(self, who: str, now: float | None = None) -> Standing:
        """Count one more for `who`, and say how they stand."""
        from django.core.cache import cache  # settings read rates, and the cache needs settings

        now = time.time() if now is None else now
        window, into = divmod(now, self.seconds)
        # One entry for each caller, whatever the window: a cache of files is never swept, so it must not grow.
        key = f"rate:{self.limit}/{self.seconds}:{who}"
        counted_in, count = cache.get(key) or (window, 0)
        count = count + 1 if counted_in == window else 1
        cache.set(key, (window, count), timeout=self.seconds + 1)
        return Standing(self.limit, self.limit - count, max(1, round(self.seconds - into)))
