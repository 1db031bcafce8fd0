"""Ports of this machine: the usual one when it is free, else any."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
ANY = 0
TRIES = 50


def free_port(preferred: int = ANY, following: int = 0) -> int:
    """A free port, `preferred` if it can be had, with so many `following` ones free too."""
    for wanted in [preferred, *[ANY] * TRIES]:
        first = _bindable(wanted)
        if first and all(_bindable(first + more) for more in range(1, following + 1)):
            return first
    raise OSError(f"{following + 1} free ports in a row were not found")


def _bindable(port: int) -> int:
    """The port, or the one that the system chose for ANY; 0 when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return 0
        return int(probe.getsockname()[1])
