"""Documents in memory, written through to a file."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncengine.sandbox.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "sandbox.sqlite3"


def test_keys_stay_sorted(path):
    numbers = Store().collection("numbers")
    for key in (3, 1, 2):
        numbers.put(key, {"n": key})
    assert numbers.keys() == [1, 2, 3]
    assert [document["n"] for document in numbers.values()] == [1, 2, 3]
    assert numbers.items()[0] == (1, {"n": 1})
    assert (numbers.after(2), numbers.after(9)) == (2, 3)
    assert numbers.next_number() == 4


def test_a_restart_keeps_what_was_put_and_forgets_what_was_deleted(path):
    store = Store(path)
    vendors = store.collection("vendors")
    vendors.put("A", {"amount": Decimal("100.10"), "n": 1})
    vendors.fill([("B", {}), ("C", {})])
    vendors.delete("B")
    store.close()
    again = Store(path).collection("vendors")
    assert again.keys() == ["A", "C"]
    assert again["A"]["amount"] == Decimal("100.1")
    assert isinstance(again["A"]["amount"], Decimal)
    assert isinstance(again["A"]["n"], int)


def test_integer_keys_stay_integers(path):
    store = Store(path)
    store.collection("orders").put(7, {})
    store.close()
    assert Store(path).collection("orders").keys() == [7]


def test_what_was_put_survives_a_process_that_is_killed(path):
    Store(path).collection("vendors").put("A", {"n": 1})
    assert Store(path).collection("vendors").get("A") == {"n": 1}


def test_a_transaction_writes_once_at_its_end(path):
    store = Store(path)
    vendors = store.collection("vendors")
    with store.transaction():
        vendors.put("A", {"n": 1})
        assert "A" in vendors
        assert "A" not in Store(path).collection("vendors")
    assert "A" in Store(path).collection("vendors")


def test_the_version_goes_up_with_every_write():
    vendors = Store().collection("vendors")
    before = vendors.version
    vendors.put("A", {})
    vendors.put("A", {"n": 1})
    vendors.delete("A")
    vendors.delete("A")
    assert vendors.version == before + 3


def test_clear_empties_everything(path):
    store = Store(path)
    store.collection("vendors").put("A", {})
    assert not store.is_empty
    store.clear()
    assert store.is_empty
    store.close()
    assert Store(path).is_empty


def test_fifty_thousand_documents_are_filled_and_read_back(path):
    store = Store(path)
    store.collection("vendors").fill((f"V{n:06d}", {"CardCode": f"V{n:06d}"}) for n in range(50_000))
    store.close()
    assert len(Store(path).collection("vendors")) == 50_000


def test_a_closed_store_may_be_closed_again(path):
    store = Store(path)
    store.close()
    store.close()
