"""Ports: the usual one when it can be had."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from portal.demo.ports import free_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_usual_port_is_taken_when_free() -> None:
    usual = free_port()
    assert free_port(usual) == usual


def test_another_one_is_found_when_the_usual_is_taken(taken: int) -> None:
    assert free_port(taken) not in (0, taken)


def test_the_ports_that_follow_must_be_free_too(taken: int) -> None:
    assert free_port(taken - 1, following=1) != taken - 1


def test_a_port_that_cannot_exist_is_not_asked_for_twice() -> None:
    assert 0 < free_port(70_000) < 65_536
