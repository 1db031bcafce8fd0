"""Seconds over rows, both by powers of ten: a line that stays level costs the same however much there is."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import log10
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM

WIDTH, HEIGHT, LEFT, TOP, ROW = 860, 430, 70, 30, 24
PLOT = 470
COLOURS = ("#1b6ec2", "#b3261e", "#2e7d32", "#8e24aa", "#ef6c00", "#00838f", "#5d4037", "#455a64")


def save(costs: Mapping[str, Mapping[int, float]], path: Path) -> None:
    """As PNG, painted by the browser of the tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
        page.set_content(f'<body style="margin:0">{drawn(costs)}</body>')
        page.screenshot(path=path)
        browser.close()


def drawn(costs: Mapping[str, Mapping[int, float]]) -> str:
    sizes = sorted(next(iter(costs.values())))
    low, high = -4, 1
    height = HEIGHT - TOP - 50

    def x(size: int) -> float:
        return LEFT + PLOT * (log10(size) - log10(sizes[0])) / (log10(sizes[-1]) - log10(sizes[0]))

    def y(seconds: float) -> float:
        return TOP + height * (high - max(log10(max(seconds, 1e-9)), low)) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
    ]
    for power in range(low, high + 1):
        label = f"{10**power:g} s" if power >= 0 else f"{10 ** (power + 3):g} ms"
        level = y(10.0**power)
        parts.append(f'<path d="M{LEFT} {level:.1f}H{LEFT + PLOT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{label}</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{HEIGHT - 26}" text-anchor="middle">{size:,}</text>')
    parts.append(f'<text x="{LEFT + PLOT / 2}" y="{HEIGHT - 8}" text-anchor="middle">records (ten events each)</text>')
    for place, (what, by_size) in enumerate(costs.items()):
        colour = COLOURS[place % len(COLOURS)]
        dash = ' stroke-dasharray="5 3"' if place >= len(COLOURS) else ""
        points = " ".join(f"{x(size):.1f},{y(by_size[size]):.1f}" for size in sizes)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        row = TOP + 10 + place * ROW
        parts.append(f'<path d="M{LEFT + PLOT + 25} {row}h24" stroke="{colour}" stroke-width="2"{dash}/>')
        parts.append(f'<text x="{LEFT + PLOT + 56}" y="{row + 4}">{escape(what)}</text>')
    return "\n".join([*parts, "</svg>", ""])
