"""The rest of the matrix on PostgreSQL: too long for each CI run (`pytest tests/faults -m soak`)."""

from __future__ import annotations

import pytest

from tests.faults.databases import own_postgresql
from tests.faults.test_matrix import (
    _ordinary_sap,
    cell,
    test_a_fault_on_the_way_changes_nothing_in_the_end,
    test_a_lost_session_is_opened_again_and_the_call_repeated,
    test_a_refused_connection_is_tried_again,
    test_a_second_minus_5002_is_a_no_that_a_person_sees_and_replays,
    test_minus_5002_may_be_a_lost_session,
)

__all__ = [
    "_ordinary_sap",
    "cell",
    "own_postgresql",
    "test_a_fault_on_the_way_changes_nothing_in_the_end",
    "test_a_lost_session_is_opened_again_and_the_call_repeated",
    "test_a_refused_connection_is_tried_again",
    "test_a_second_minus_5002_is_a_no_that_a_person_sees_and_replays",
    "test_minus_5002_may_be_a_lost_session",
]

pytestmark = pytest.mark.soak
