"""State of a sandbox: collections of JSON documents in memory, written through to SQLite when a path is given.

    store = Store(Path("var/sandbox/basware.sqlite3"))      # or Store() for memory only
    vendors = store.collection("vendors")                   # made on first use; keys are all str or all int
    with store.transaction():                               # the lock is held, one commit at the end
        vendors.put("V1000", {"name": "x"})                 # writes the document, whole
        vendors.delete("V2000")
    vendors.get("V1000"); "V1000" in vendors; len(vendors)
    vendors.keys()                                          # sorted list, kept sorted (not a copy: do not change it)
    vendors.after("V1000")                                  # index of the first key above that one, by bisection
    vendors.values()                                        # documents in key order
    vendors.fill([(key, document), …])                      # many at once, fast
    vendors.next_number()                                   # highest integer key + 1

Documents are the live dictionaries: change one under `store.lock` and `put` it again so that it is written. What was
put is on disk when the transaction ends, so work done before a connection was cut survives a restart. Decimals are
written as JSON numbers and come back as Decimal.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from syncengine.sandbox.server import encode

Key = str | int
Document = dict[str, Any]

SCHEMA = "CREATE TABLE IF NOT EXISTS documents (collection TEXT, key TEXT, body TEXT, PRIMARY KEY (collection, key))"


class Collection:
    """One kind of document by key, in key order."""

    def __init__(self, store: Store, name: str, documents: dict[Key, Document] | None = None) -> None:
        self.name = name
        self.version = 0
        """Goes up with every write: what was computed from the collection can be kept until it does."""
        self._store = store
        self._documents = documents or {}
        self._keys: list[Any] = sorted(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def __contains__(self, key: object) -> bool:
        return key in self._documents

    def get(self, key: Key) -> Document | None:
        return self._documents.get(key)

    def __getitem__(self, key: Key) -> Document:
        return self._documents[key]

    def keys(self) -> list[Any]:
        return self._keys

    def values(self) -> list[Document]:
        return [self._documents[key] for key in self._keys]

    def items(self) -> list[tuple[Any, Document]]:
        return [(key, self._documents[key]) for key in self._keys]

    def after(self, key: Key) -> int:
        return bisect_right(self._keys, key)

    def next_number(self) -> int:
        return int(self._keys[-1]) + 1 if self._keys else 1

    def put(self, key: Key, document: Document) -> Document:
        with self._store.transaction():
            if key not in self._documents:
                insort(self._keys, key)
            self._documents[key] = document
            self.version += 1
            self._store.mark(self.name, key)
        return document

    def delete(self, key: Key) -> Document | None:
        with self._store.transaction():
            document = self._documents.pop(key, None)
            if document is not None:
                self._keys.remove(key)
                self.version += 1
                self._store.mark(self.name, key)
        return document

    def fill(self, pairs: Iterable[tuple[Key, Document]]) -> None:
        with self._store.transaction():
            for key, document in pairs:
                self._documents[key] = document
                self._store.mark(self.name, key)
            self._keys = sorted(self._documents)
            self.version += 1

    def clear(self) -> None:
        with self._store.transaction():
            for key in self._documents:
                self._store.mark(self.name, key)
            self._documents, self._keys = {}, []
            self.version += 1


class Store:
    """All collections of one sandbox behind one lock."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self._dirty: dict[tuple[str, Key], None] = {}
        self._collections: dict[str, Collection] = {}
        self._database = None if path is None else _open(path)
        self._load()

    @property
    def is_empty(self) -> bool:
        return not any(len(collection) for collection in self._collections.values())

    def collection(self, name: str) -> Collection:
        with self.lock:
            if name not in self._collections:
                self._collections[name] = Collection(self, name)
            return self._collections[name]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Holds the lock; what was written inside is committed when the outermost one ends."""
        with self.lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._flush()

    def mark(self, collection: str, key: Key) -> None:
        """Notes that a document changed (called by the collections)."""
        if self._database is not None:
            self._dirty[collection, key] = None

    def clear(self) -> None:
        with self.transaction():
            for collection in self._collections.values():
                collection.clear()

    def close(self) -> None:
        with self.lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _load(self) -> None:
        if self._database is None:
            return
        loaded: dict[str, dict[Key, Document]] = {}
        for name, key, body in self._database.execute("SELECT collection, key, body FROM documents"):
            loaded.setdefault(name, {})[json.loads(key)] = json.loads(body, parse_float=Decimal)
        self._collections = {name: Collection(self, name, documents) for name, documents in loaded.items()}

    def _flush(self) -> None:
        if self._database is None or not self._dirty:
            return
        gone: list[tuple[str, str]] = []
        kept: list[tuple[str, str, str]] = []
        for name, key in self._dirty:
            document = self._collections[name].get(key)
            if document is None:
                gone.append((name, json.dumps(key)))
            else:
                kept.append((name, json.dumps(key), encode(document).decode()))
        self._dirty.clear()
        with self._database:
            self._database.executemany("DELETE FROM documents WHERE collection = ? AND key = ?", gone)
            self._database.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", kept)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, check_same_thread=False)
    # A killed process loses nothing with WAL; only a power cut could, and a sandbox may lose that.
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=OFF")
    database.execute(SCHEMA)
    return database
