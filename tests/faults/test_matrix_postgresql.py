"""The part of the matrix in which a worker or its database is lost, on a PostgreSQL server of its own.

What goes wrong on the way to SAP and Basware meets the same statements on both databases: test_matrix_soak.py has it.
"""

from __future__ import annotations

from tests.faults.databases import own_postgresql
from tests.faults.test_matrix import (
    _ordinary_sap,
    cell,
    test_a_database_lost_in_the_middle_of_the_request_changes_nothing_in_the_end,
    test_a_killed_worker_changes_nothing_in_the_end,
)

__all__ = [
    "_ordinary_sap",
    "cell",
    "own_postgresql",
    "test_a_database_lost_in_the_middle_of_the_request_changes_nothing_in_the_end",
    "test_a_killed_worker_changes_nothing_in_the_end",
]
