"""Whether what was restored is whole and true: every secret opens, the audit trail holds, both systems agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import connection

from portal.backups.recovery import take_up, unknown
from syncengine.audit.keys import AuditKeyMissing
from syncengine.audit.verification import BadPlace, name_of, verify
from syncengine.connectors.outcomes import ConnectorError
from syncengine.engine.connections import NotConfigured
from syncengine.reconciliation.core import Row
from syncengine.reconciliation.report import Report
from syncengine.reconciliation.service import reconcile
from tenants.encryption import SecretsField
from tenants.management.commands.rotate_keys import encrypted_fields
from tenants.models import Integration


@dataclass(frozen=True)
class Verdict:
    """`ok` is None where there is nothing to mend and something to know; the text says what."""

    what: str
    ok: bool | None
    text: str


def verify_all(made_on: date, today: date, days: int) -> Iterator[Verdict]:
    """All that was restored of a backup of that day; what is missing of the time since is taken up on the way."""
    secrets = _secrets()
    yield secrets
    if not secrets.ok:
        yield Verdict(
            "audit", None, "Not looked at: its key is among the secrets. Restore with the FERNET_KEYS of then."
        )
        return
    yield _audit()
    for integration in Integration.objects.filter(enabled=True).order_by("pk"):
        yield from _reconciled(integration, min(made_on, today) - timedelta(days=days), today)


def _secrets() -> Verdict:
    keys = MultiFernet([Fernet(key) for key in SecretsField().fernet_keys])
    read = unreadable = 0
    for field in encrypted_fields():
        quoted = connection.ops.quote_name
        table, column = quoted(field.model._meta.db_table), quoted(field.column)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608  # from the models
            for (token,) in cursor.fetchall():
                read += 1
                unreadable += not _opens(keys, bytes(token))
    if unreadable:
        return Verdict("secrets", False, f"{unreadable} of {read} secrets open with none of FERNET_KEYS.")
    return Verdict("secrets", True, f"All {read} secrets open with FERNET_KEYS.")


def _opens(keys: MultiFernet, token: bytes) -> bool:
    try:
        keys.decrypt(token)
    except InvalidToken:
        return False
    return True


def _audit() -> Verdict:
    try:
        verified = verify()
    except BadPlace as bad:
        return Verdict("audit", False, f"{name_of(bad.organization_id)}: {bad.problem}")
    except (AuditKeyMissing, OSError) as error:
        return Verdict("audit", False, str(error))
    return Verdict("audit", True, f"{verified.events} events and {verified.seals} seals are as they were written.")


def _reconciled(integration: Integration, first: date, last: date) -> Iterator[Verdict]:
    what = f"reconcile {integration.pk}"
    try:
        report = reconcile(integration, first, last)
        newer = unknown(integration, report)
        take_up(integration, newer)
    except NotConfigured as error:
        yield Verdict(what, None, f"{integration}: {error}")
    except ConnectorError as error:
        yield Verdict(what, None, f"{integration}: could not be compared. {error.message}")
    else:
        yield _agreement(what, integration, report)
        yield _knowledge(integration, newer)


def _agreement(what: str, integration: Integration, report: Report) -> Verdict:
    period = f"{integration}, {report.first} to {report.last}"
    if report.is_clean:
        return Verdict(what, True, f"{period}: every approved invoice is posted once.")
    command = f"manage.py reconcile {integration.pk} --from {report.first} --to {report.last}"
    return Verdict(what, False, f"{period}: not clean, see {command}")


def _knowledge(integration: Integration, newer: Sequence[Row]) -> Verdict:
    what = f"known {integration.pk}"
    if not newer:
        return Verdict(what, True, f"{integration}: everything of ours that SAP holds is known here.")
    names = ", ".join(f"{row.invoice_number or row.invoice_id} ({_in_sap(row)})" for row in newer)
    text = f"{integration}: {len(newer)} invoices were posted after this backup: {names}. "
    return Verdict(what, None, f"{text}The workers link them when they start; none is posted again.")


def _in_sap(row: Row) -> str:
    return "SAP " + ", ".join(document.describe() for document in row.documents)
