"""The story, told to an API that answers from a script."""

from __future__ import annotations

from typing import Any

import pytest

from portal.demo import report, story
from portal.demo.story import Story, TookTooLong


class Api:
    """Notes what it is asked; each run is running once and then succeeded."""

    def __init__(self, known: list[dict[str, Any]] | None = None) -> None:
        self.known, self.calls, self.asked = known or [], [], 0

    def pages(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        self.calls.append(("pages", path, parameters))
        return self.known

    def get(self, path: str) -> dict[str, Any]:
        self.asked += 1
        return {"id": 1, "flow": "vendors", "status": "running" if self.asked == 1 else "succeeded"}

    def post(self, path: str, payload: Any = None) -> dict[str, Any]:
        self.calls.append(("post", path, payload))
        return {"id": 7, "runs": [{"id": 1}]}

    def put(self, path: str, payload: Any) -> None:
        self.calls.append(("put", path, payload))


SANDBOX = {"sap_b1": {"base_url": "a"}, "basware": {"base_url": "b"}, "control": {"url": "c"}}


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(story, "POLL", 0)


def test_connecting_makes_the_integration_once() -> None:
    api = Api()
    Story(api).connect(SANDBOX)
    assert ("post", "/integrations/", {"name": story.INTEGRATION}) in api.calls
    assert api.calls[-1] == ("put", "/integrations/7/connections/basware/", {"base_url": "b"})


def test_connecting_again_enters_the_new_addresses_only() -> None:
    api = Api([{"id": 3, "name": story.INTEGRATION}])
    Story(api).connect(SANDBOX)
    assert [call[:2] for call in api.calls[1:]] == [
        ("put", "/integrations/3/connections/sap_b1/"),
        ("put", "/integrations/3/connections/basware/"),
    ]


def test_a_run_is_waited_for() -> None:
    api, asked = Api(), []
    runs = Story(api, lambda: asked.append("alive?")).run("vendors")
    assert [run["status"] for run in runs] == ["succeeded"]
    assert asked == ["alive?"]


def test_a_run_that_does_not_end_is_named(monkeypatch) -> None:
    monkeypatch.setattr(story, "PATIENCE", -1)
    with pytest.raises(TookTooLong, match="run 1 of vendors is running"):
        Story(Api()).run("vendors")


def test_the_table_has_a_line_for_each_run() -> None:
    counts = {"read": 12, "unchanged": 2, "sent": 10, "confirmed": 9, "failed": 1}
    heading, line = report.table([{"flow": "vendors", "status": "partial", "counts": counts}])
    assert heading.split() == ["flow", "read", "unchanged", "sent", "confirmed", "failed", "status"]
    assert line.split() == ["vendors", "12", "2", "10", "9", "1", "partial"]


def test_the_invitation_tells_address_login_and_password() -> None:
    lines = "\n".join(report.invitation("http://x", "nordic", "demo@example.com", "pw", 7, "http://c"))
    for part in ("http://x/", "http://x/o/nordic/integrations/7/", "demo@example.com", "pw", "http://c/sap/pay-run"):
        assert part in lines


def test_failures_are_told_with_their_reason() -> None:
    records = [{"title": "77 Nordic Oy", "key": "k", "error": {"message": "vendor V1 is frozen"}}]
    assert list(report.failures(records)) == ["  77 Nordic Oy: vendor V1 is frozen"]
