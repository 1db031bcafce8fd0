"""How much is measured: the sizes of the targets, or BENCH=medium, a fifth of them, which is enough for ratios, or
BENCH=quick, as much as can be tried in a few minutes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """`pairs` of product and wire loop alternate; `latency` is that of the remote systems in seconds."""

    pairs: int = 5
    vendors: int = 50_000
    invoices: int = 2_000
    few_vendors: int = 10_000
    many_vendors: tuple[int, ...] = (100_000, 1_000_000)
    deliveries: int = 4_000
    integrations: int = 5_000
    approvals: int = 40
    starts: int = 11
    latency: float = 0.02
    far: float = 0.2
    companies: int = 24
    each: int = 12
    rounds: int = 3
    queued: int = 100_000


QUICK = Sizes(
    pairs=1, vendors=2_000, invoices=60, few_vendors=1_000, many_vendors=(4_000,), deliveries=400, integrations=300,
    approvals=5, starts=3, companies=8, each=4, rounds=1, queued=5_000,
)  # fmt: skip

MEDIUM = Sizes(
    vendors=10_000, invoices=400, many_vendors=(40_000,), approvals=20, companies=12, each=4, rounds=1, queued=20_000,
)  # fmt: skip

SIZES = {"quick": QUICK, "medium": MEDIUM}.get(os.environ.get("BENCH", ""), Sizes())
