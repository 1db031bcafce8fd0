"""The e-mail of one or more notices: plain text, links to this portal, nothing from outside in its headers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from syncengine.models import Notice, NoticeDelivery
from syncengine.notices.kinds import WORDS, Kind

TIMEOUT_SECONDS = 15
LONGEST_SUBJECT = 150


def one_line(text: str, most: int) -> str:
    """Text from outside as one line: no line break can begin a header, no control character can hide anything."""
    clean = "".join(character if character.isprintable() else " " for character in text)
    words = " ".join(clean.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def link_to(notice: Notice) -> str:
    return f"{settings.SITE_URL}/o/{notice.organization.slug}/{notice.path or 'notices/'}"


def send(deliveries: Sequence[NoticeDelivery]) -> None:
    """One e-mail for all of them, which are one member's. Raises OSError or SMTPException."""
    first = deliveries[0]
    assert first.membership is not None  # an e-mail goes to a member
    message(deliveries, first.membership.user.email).send()


def message(deliveries: Sequence[NoticeDelivery], address: str) -> EmailMessage:
    found = [delivery.notice for delivery in deliveries]
    return EmailMessage(
        subject=_subject(found),
        body=_text(found),
        to=[address],
        headers={
            "Message-ID": _message_id(deliveries),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
        connection=get_connection(timeout=TIMEOUT_SECONDS),
    )


def _message_id(deliveries: Sequence[NoticeDelivery]) -> str:
    """The same for the same messages: what is sent twice after a crash shows once where mail programs look at it."""
    names = ",".join(str(delivery.pk) for delivery in deliveries)
    digest = hashlib.sha256(f"{settings.SITE_URL}|{names}".encode()).hexdigest()[:32]
    return f"<notice-{digest}@{urlsplit(settings.SITE_URL).hostname or 'ledgerbridge'}>"


def _subject(found: Sequence[Notice]) -> str:
    organization = found[0].organization.name
    if len(found) == 1:
        return one_line(f"[{organization}] {found[0].message}", LONGEST_SUBJECT)
    return one_line(f"[{organization}] {len(found)} notices from Ledgerbridge", LONGEST_SUBJECT)


def _text(found: Sequence[Notice]) -> str:
    organization = found[0].organization
    parts = [_part(notice) for notice in found]
    settings_page = f"{settings.SITE_URL}/o/{organization.slug}/notices/settings/"
    name = one_line(organization.name, 120)
    parts.append(f"--\nYou get this as a member of {name}. Choose what you are told:\n{settings_page}\n")
    return "\n\n".join(parts)


def _part(notice: Notice) -> str:
    lines = [WORDS[Kind(notice.kind)].title.upper(), one_line(notice.message, 1000)]
    if notice.hint:
        lines.append(one_line(notice.hint, 1000))
    return "\n".join([*lines, link_to(notice)])
