"""docs/settings.md and .env.example name every setting, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
READ = set(re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", (ROOT / "portal/settings.py").read_text()))
PAGE = (ROOT / "docs/settings.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()


def test_the_page_has_a_section_for_every_setting_and_for_no_other():
    sections = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert len(sections) == len(set(sections))
    assert set(sections) == READ
    assert len(READ) > 30


def test_the_example_has_every_setting_and_no_other():
    assert set(re.findall(r"^#? ?([A-Z_]+)=", EXAMPLE, re.MULTILINE)) == READ


def test_no_section_is_empty():
    for text in re.split(r"^### \w+$", PAGE, flags=re.MULTILINE)[1:]:
        assert len(text.strip()) > 20


def test_defaults_are_those_of_the_example():
    example = dict(re.findall(r"^# ([A-Z_]+)=(.+)$", EXAMPLE, re.MULTILINE))
    for name, text in re.findall(r"^### (\w+)\nDefault `([^`]+)`", PAGE, re.MULTILINE):
        assert name not in example or example[name] == text, name
