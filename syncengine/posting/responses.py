"""What is answered to Basware: bodies of transfer and payment responses (contracts: Basware §14.7)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from syncengine.connectors.basware.external_codes import response_code
from syncengine.mapping import Problem

MESSAGE_LENGTH = 250
SYSTEM_LENGTH = 32
VOUCHER_LENGTH = 25


def cut(text: str, length: int = MESSAGE_LENGTH) -> str:
    """At most `length` characters; what was cut ends in an ellipsis."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def next_code(invoice_id: str, kind: str, taken: Collection[str]) -> str:
    """The external code of our next answer: the first number whose answer Basware has not taken yet."""
    return next(code for n in count(1) if (code := response_code(invoice_id, kind, n)) not in taken)


def sentence(problems: Sequence[Problem], lead: str = "Not posted: ") -> str:
    """The first problems that fit whole, and how many more there are; 250 characters at most, never empty.

    >>> sentence([Problem("a", "G/L account 999000 of coding row 1 does not exist in SAP")])
    'Not posted: G/L account 999000 of coding row 1 does not exist in SAP.'
    """
    messages = [" ".join(problem.message.split()) for problem in problems] or ["see the portal"]
    for named in range(len(messages), 0, -1):
        rest = len(messages) - named
        more = f" (and {rest} more)" if rest else ""
        text = f"{lead}{'; '.join(messages[:named])}{more}."
        if len(text) <= MESSAGE_LENGTH:
            return text
    rest = len(messages) - 1
    more = f" (and {rest} more)." if rest else "."
    return cut(f"{lead}{messages[0]}", MESSAGE_LENGTH - len(more)) + more


def _system(source_system: str) -> str:
    return source_system[:SYSTEM_LENGTH]


def stamp(moment: datetime) -> str:
    """An aware moment as Basware writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def transfer_success(
    code: str, word: str, doc_num: int, trans_num: int | None, *, block: bool, system: str, now: datetime
) -> dict[str, Any]:
    """Posted: voucher numbers are DocNum and the journal entry's number."""
    body: dict[str, Any] = {
        "externalCode": code,
        "success": True,
        "responseMessage": cut(f"Posted to SAP Business One as {word} {doc_num}."),
        "sourceSystem": _system(system),
        "voucherNumber1": str(doc_num)[:VOUCHER_LENGTH],
        "transferDate": stamp(now),
        "paymentBlock": block,
    }
    if trans_num:
        body["voucherNumber2"] = str(trans_num)[:VOUCHER_LENGTH]
    return body


def transfer_failure(code: str, message: str, *, block: bool, system: str) -> dict[str, Any]:
    """Not posted: only the message and the status are kept by Basware."""
    return {
        "externalCode": code,
        "success": False,
        "responseMessage": cut(message),
        "sourceSystem": _system(system),
        "paymentBlock": block,
    }
