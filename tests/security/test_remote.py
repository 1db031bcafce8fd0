"""A remote system that means harm, on a real socket: bombs, floods, drops, and answers without an end."""

from __future__ import annotations

import contextlib
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat

import pytest

from syncengine.connectors.calls import Limits, Request
from syncengine.connectors.guard import OutboundPolicy
from syncengine.connectors.http import HttpTransport
from syncengine.connectors.outcomes import ConnectorError
from tests.connectors.servers import Answer, RawServer

MOST = 4 * 2**20
LIMITS = Limits(connect_timeout=1, read_timeout=0.4, body_timeout=1.0, max_body_bytes=MOST)
SECONDS = 6.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def closed(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return HEAD + lines + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def gzipped(body: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    return body


def drops(first: bytes, pieces: bytes, pause: float) -> Iterator[bytes]:
    yield first
    for piece in repeat(pieces, 200):
        time.sleep(pause)
        yield piece


ZEROS = bytes(200 * 2**20)
ATTACKS: dict[str, Callable[[], Answer]] = {
    "gzip bomb": lambda: closed(gzipped(ZEROS), b"Content-Encoding: gzip"),
    "gzip in gzip": lambda: closed(gzipped(ZEROS, 2), b"Content-Encoding: gzip, gzip"),
    "gzip in gzip in gzip": lambda: closed(gzipped(ZEROS, 3), b"Content-Encoding: gzip, gzip, gzip"),
    "deflate bomb": lambda: closed(zlib.compress(ZEROS), b"Content-Encoding: deflate"),
    "many encodings": lambda: closed(b"x", b"Content-Encoding: " + b", ".join([b"gzip"] * 200)),
    "broken gzip": lambda: closed(gzipped(b"{}" * 999)[:-9] + b"broken", b"Content-Encoding: gzip"),
    "too large": lambda: closed(b"[" + b"1," * (MOST // 2) + b"1]"),
    "announced too large": lambda: HEAD + b"Content-Length: 99999999999\r\n\r\n{",
    "negative length": lambda: HEAD + b"Content-Length: -1\r\n\r\n{}",
    "two lengths": lambda: HEAD + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}",
    "length and chunks": lambda: HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "endless chunk": lambda: HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    "chunk of no size": lambda: HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "drop by drop": lambda: drops(HEAD + b"Content-Length: 200\r\n\r\n", b" ", 0.05),
    "chunk by chunk": lambda: drops(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.05),
    "header by header": lambda: drops(HEAD, b"X-More: " + b"x" * 1000 + b"\r\n", 0.01),
    "endless header": lambda: HEAD + b"X: " + b"x" * 300_000 + b"\r\n\r\n{}",
    "thousands of headers": lambda: HEAD + b"X: y\r\n" * 5_000 + b"Content-Length: 2\r\n\r\n{}",
    "no http": lambda: b"\x16\x03\x01\x02\x00\x01\x00" * 50,
    "old http": lambda: b"HTTP/0.9 200 OK\r\n\r\n{}",
    "interim answers": lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000,
    "odd status": lambda: b"HTTP/1.1 99999 OK\r\nContent-Length: 2\r\n\r\n{}",
    "binary header": lambda: HEAD + b"X: \xff\xfe\x00\r\nContent-Length: 2\r\n\r\n{}",
    "line break in a header": lambda: HEAD + b"Location: /x\n\tSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}",
    "hangs up": lambda: None,
    "says nothing": lambda: drops(b"", b"", 0.1),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_answer_takes_more_than_its_share_of_time_and_memory(attack, prove):
    """An answer or one of our own refusals, in time; a bomb is never unpacked further than the limit."""
    answer = ATTACKS[attack]()
    server = RawServer(lambda received: answer)
    transport = HttpTransport("sap_b1", policy=OutboundPolicy(("127.0.0.1",), allow_http=True), limits=LIMITS)
    wrong = []
    tracemalloc.start()
    begun = time.monotonic()
    with contextlib.suppress(ConnectorError):
        response = transport.send(Request("GET", f"{server.url}/b1s/v2/x"), lambda answered: None)
        assert len(response.body) <= MOST + 65_536
    taken, (_, most) = time.monotonic() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    server.close()
    if taken > SECONDS:
        wrong.append(f"{attack} took {taken:.1f} s")
    if most > 24 * MOST:
        wrong.append(f"{attack} took {most / 2**20:.0f} MB")
    prove("a hostile remote answer is bounded in time and memory", 1, wrong)
