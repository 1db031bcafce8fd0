"""The alert rules and the dashboard ask for nothing that is not exported, and docs/operations.md tells of all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(settings.BASE_DIR)
RULES = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
DASHBOARD = json.loads((ROOT / "deploy/grafana/ledgerbridge.json").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
# What PromQL itself knows, and what Prometheus adds to every target.
WORDS = {"sum", "by", "rate", "increase", "histogram_quantile", "or", "and", "up", "vector", "max", "min"}
SUFFIXES = {"counter": ("_total", "_created"), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in ALERTS)
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def names_in(expression: str) -> tuple[set[str], set[str]]:
    """The metrics and the labels that an expression names."""
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression))
    for listed in re.findall(r"\bby\s*\(([^)]*)\)", expression):
        labels |= {word.strip() for word in listed.split(",")}
    rest = re.sub(r"\{[^}]*\}|\bby\s*\([^)]*\)|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    return set(re.findall(r"[a-zA-Z_:][\w:]*", rest)) - WORDS, labels


@pytest.fixture
def exported(client, db) -> dict[str, set[str]]:
    """Every name that a query may use, with the labels it may have."""
    client.get("/healthz/")
    text = client.get("/metrics").content.decode()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        labels = {label for sample in family.samples for label in sample.labels} | {"le"}
        for suffix in SUFFIXES.get(family.type, ("",)):
            found[f"{family.name}{suffix}"] = labels
    return found


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_metric_that_is_asked_for_is_exported(expression, exported):
    metrics, _ = names_in(expression)
    assert metrics <= exported.keys()
    assert metrics or expression.startswith("up")
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)


def test_every_label_that_is_asked_for_is_one_of_ours():
    from portal.metrics import Site  # the labels of gauges stand in its calls alone
    from syncengine.engine.tallies import METERS

    known = {label for meter in METERS for label in meter.labels} | {"le", "job", "version", "health", "status", "flow"}
    assert Site
    for expression in expressions():
        assert names_in(expression)[1] <= known, expression


def test_every_alert_says_what_is_wrong_and_the_page_says_what_to_do():
    page = (ROOT / "docs/operations.md").read_text()
    for rule in ALERTS:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert f"`{rule['alert']}`" in page


def test_every_metric_of_ours_is_explained(exported):
    page = (ROOT / "docs/operations.md").read_text()
    ours = [name for name in exported if name.startswith("ledgerbridge_")]
    families = {re.sub(r"_(total|created|bucket|sum|count)$", "", name) for name in ours}
    assert not [name for name in sorted(families) if f"`{name}" not in page]


def test_every_panel_has_a_place_of_its_own():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(places) == len(set(places))
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in DASHBOARD["panels"])
