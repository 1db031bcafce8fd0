"""What a dry run shows: counts, examples up to a bound, and field by field what would change."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.engine.comparing import Fate, Judged
from syncengine.engine.dry_runs import MOST_EXAMPLES, DryResult, differences
from syncengine.engine.rehearsals import Rehearsal
from syncengine.models import Record
from syncengine.sandbox.dataset import Dataset
from tests.engine.papers import found
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
        result.add_rehearsal(found(f"INV-{number}"), Rehearsal("post", "It would be posted.", {}))
    result.add_rehearsal(found("BAD"), Rehearsal("fail", "No account.", {}, problems=[{"message": "No account."}]))
    shown = result.as_dict()
    assert shown["counts"] == {"would_be_posted": MOST_EXAMPLES + 5, "would_fail": 1}
    assert len(shown["examples"]) == MOST_EXAMPLES + 1
    assert shown["examples"][-1] == {
        "action": "would_fail",
        "key": "BAD",
        "title": "Invoice BAD",
        "message": "No account.",
        "changes": [],
        "problems": [{"message": "No account."}],
    }


def test_amounts_are_added_up_by_kind_and_currency():
    result = DryResult()
    for number, (amount, currency) in enumerate([("0.10", "EUR"), ("0.20", "EUR"), ("5", "USD")]):
        one = found(f"INV-{number}", amount=Decimal(amount), currency=currency)
        result.add_rehearsal(one, Rehearsal("post", "It would be posted.", {}))
    assert result.as_dict()["totals"] == {"would_be_posted": {"EUR": "0.30", "USD": "5"}}


def test_what_another_worker_found_is_gone_on_with():
    first = DryResult()
    first.add_rehearsal(found("1", amount=Decimal("1.10"), currency="EUR"), Rehearsal("post", "Posted.", {}))
    second = DryResult.of(first.as_dict())
    second.add_rehearsal(found("2", amount=Decimal("2.20"), currency="EUR"), Rehearsal("post", "Posted.", {}))
    second.add([judged(Fate.UNCHANGED)])
    shown = second.as_dict()
    assert shown["counts"] == {"would_be_posted": 2, "unchanged": 1}
    assert shown["totals"] == {"would_be_posted": {"EUR": "3.30"}}
    assert [one["key"] for one in shown["examples"]] == ["1", "2"]
    assert DryResult.of(None).as_dict() == {"counts": {}, "examples": []}


def writes(world: World) -> list[str]:
    """What was called that may change something: logging in does not, nor do SAP's reading functions."""
    calls = [call for system in ("sap_b1", "basware") for call in world.calls(system) if call["method"] != "GET"]
    harmless = ("/Login", "/Logout", "/tokens")
    return [
        f"{call['method']} {call['path']}"
        for call in calls
        if not call["path"].endswith(harmless) and "/CompanyService_Get" not in call["path"]
    ]


def test_a_dry_run_of_invoices_leaves_no_record_and_no_write(world: World):
    before = world.tell("/basware/documents", "GET")
    waiting = [one for one in before if one["processingStatus"] == "WaitingForTransfer"]
    world.quiet()
    run = world.run("invoices", "dry_run")
    assert (run.status, run.read) == ("succeeded", len(waiting))
    counts, examples = run.result["counts"], run.result["examples"]
    assert sum(counts.values()) == len(waiting)
    assert {example["key"] for example in examples} == {one["invoiceId"] for one in waiting}
    bad = Dataset().bad_invoices()
    failing = {one["key"]: one for one in examples if one["action"] == "would_fail"}
    assert set(bad.values()) <= set(failing)
    named = " ".join(problem["message"] for problem in failing[bad["unknown_codes"]]["problems"])
    assert all(word in named for word in ("699999", "I99", "NOWHERE"))
    assert world.records("invoices") == []
    assert world.calls("basware", "GET")
    assert writes(world) == []
    assert world.tell("/basware/documents", "GET") == before
