"""What a dry run shows: counts, examples up to a bound, and field by field what would change."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.engine.comparing import Fate, Judged
from syncengine.engine.dry_runs import MOST_EXAMPLES, DryResult, differences
from syncengine.models import Record
from tests.engine.world import World


def judged(fate: Fate, **fields) -> Judged:
    return Judged(Record(key="V1", title="Vendor", **fields), fate)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({}, {"a": 1}, [("a", None, 1)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", 1, 2)]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [("a[1].b", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [("a", [1], [1, 2])]),
        ({"a": Decimal("1.10")}, {"a": Decimal("1.1")}, []),
        ({"a": {"b": 1}}, {"a": None}, [("a", {"b": 1}, None)]),
    ],
)
def test_differences_name_path_old_and_new(old, new, changes):
    assert list(differences(old, new)) == [{"path": path, "old": was, "new": now} for path, was, now in changes]


def test_what_would_be_sent_or_is_in_the_way_is_an_example_the_rest_a_count():
    result = DryResult()
    result.add(
        [
            judged(Fate.SEND, action="create", target={"name": "A"}),
            judged(Fate.FAILED, problems=[{"path": "name", "message": "Missing."}]),
            judged(Fate.UNCHANGED),
        ]
    )
    shown = result.as_dict()
    assert shown["counts"] == {"create": 1, str(Fate.FAILED): 1, str(Fate.UNCHANGED): 1}
    assert [example["action"] for example in shown["examples"]] == ["create", str(Fate.FAILED)]
    assert shown["examples"][0]["changes"] == [{"path": "name", "old": None, "new": "A"}]
    assert shown["examples"][1]["problems"] == [{"path": "name", "message": "Missing."}]


def test_examples_are_bounded_and_counts_are_not():
    result = DryResult()
    for number in range(MOST_EXAMPLES + 5):
        result.note("created", f"INV-{number}", "Invoice")
    shown = result.as_dict()
    assert shown["counts"] == {"created": MOST_EXAMPLES + 5}
    assert len(shown["examples"]) == MOST_EXAMPLES
    assert shown["examples"][0] == {
        "action": "created",
        "key": "INV-0",
        "title": "Invoice",
        "changes": [],
        "problems": [],
    }


def writes(world: World) -> list[str]:
    """What was called that may change something: logging in does not, nor do SAP's reading functions."""
    calls = [call for system in ("sap_b1", "basware") for call in world.calls(system) if call["method"] != "GET"]
    harmless = ("/Login", "/Logout", "/tokens", "/CompanyService_GetCompanyInfo", "/CompanyService_GetAdminInfo")
    return [f"{call['method']} {call['path']}" for call in calls if not call["path"].endswith(harmless)]


def test_a_dry_run_of_invoices_leaves_no_record_and_no_write(world: World):
    before = world.tell("/basware/documents", "GET")
    waiting = [one for one in before if one["processingStatus"] == "WaitingForTransfer"]
    world.quiet()
    run = world.run("invoices", "dry_run")
    assert (run.status, run.read) == ("succeeded", len(waiting))
    assert run.result["counts"] == {"created": len(waiting)}
    assert waiting
    assert {example["key"] for example in run.result["examples"]} <= {one["invoiceId"] for one in waiting}
    assert world.records("invoices") == []
    assert world.calls("basware", "GET")
    assert writes(world) == []
    assert world.tell("/basware/documents", "GET") == before
