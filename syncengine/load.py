"""A load to try capacity with: plausible rows by the million, made by PostgreSQL itself.

The first integration gets most of it, as the largest customer of a portal has. Nothing here was received from or sent
to anybody, and events have no digest: `verify_audit` calls the first of them inserted, as it should.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from syncengine.audit.sealing import BLOCK
from syncengine.engine import integrations as engine
from syncengine.engine import statistics
from syncengine.flows import registry
from syncengine.generated import array, insert, reserve
from syncengine.models import (
    Attempt,
    AttemptItem,
    AuditEvent,
    AuditSeal,
    Call,
    InboxNotification,
    Notice,
    Ping,
    PostedDocument,
    Record,
    Run,
)
from tenants import services
from tenants.models import Connection, Integration, Membership, Organization, Role, System, User

FLOWS = (
    "invoices",
    "payments",
    "purchase_orders",
    "purchase_orders",
    "vendors",
    "gl_accounts",
    "cost_centers",
    "projects",
)
"""Record n is of flow n modulo their number, and number n divided by it there."""
KINDS = len(FLOWS)
TURNS = 5
"""Of so many rows one is of the other integrations."""
FAILS_OF_LARGEST, FAILS_ELSEWHERE = 4, 40
"""One of so many records has failed."""
RECORDS_PER_RUN, RECORDS_PER_BATCH, RECORDS_PER_NOTICE = 10, 100, 500
CAUSES = 300
MEMBERS, OPEN_NOTICES, PINGS = 40, 30, 365
SETTINGS = {
    System.SAP_B1: {"base_url": "https://sap.example.com:50000/b1s/v2", "company_db": "SBO_LOAD", "username": "load"},
    System.BASWARE: {"base_url": "https://api.basware.example.com", "client_id": "load", "company_code": "1000"},
}


@dataclass(frozen=True)
class Size:
    """How much there shall be."""

    organizations: int = 20
    records: int = 1_000_000
    events_per_record: int = 10


def make(size: Size, owner: str, say: Callable[[str], object]) -> Integration:
    """Organizations of that person with two integrations each, filled; returns the largest integration."""
    person = User.objects.filter(email=owner).first() or User.objects.create_user(owner, None)
    made = [one for number in range(1, size.organizations + 1) for one in _organization(number, person)]
    block = _Block(
        made,
        size.records,
        reserve(Record, size.records + 1),
        reserve(Run, size.records // RECORDS_PER_RUN + 1),
        reserve(Attempt, size.records // RECORDS_PER_BATCH + 1),
        reserve(Attempt, size.records + 1),
    )
    for step in (_runs, _records, _attempts, _documents, _calls, _notifications, _notices, _pings):
        step(block)
    say(f"{size.records} records of {len(made)} integrations")
    _events(block, size.events_per_record)
    _seals()
    say(f"{size.records * size.events_per_record} audit events")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")  # what autovacuum would have done long before
    for integration in made:
        statistics.refresh(integration)
    say("Vacuumed, analyzed and counted.")
    return made[0]


def _organization(number: int, owner: User) -> list[Integration]:
    organization = services.found_organization(f"Load {number:02}", owner)
    people = [User(email=f"{organization.slug}-{one}@example.com") for one in range(MEMBERS)]
    User.objects.bulk_create(people, ignore_conflicts=True)
    found = User.objects.filter(email__in=[person.email for person in people])
    Membership.objects.bulk_create(
        Membership(organization=organization, user=person, role=Role.VIEWER) for person in found
    )
    return [_integration(organization, name) for name in ("Finland", "Sweden")]


def _integration(organization: Organization, name: str) -> Integration:
    integration = engine.create(organization, MAKER, {"name": name})
    Connection.objects.bulk_create(
        Connection(integration=integration, system=system, settings=settings, secrets={})
        for system, settings in SETTINGS.items()
    )
    return integration


MAKER = "load"
"""Who is named where a person would be."""


@dataclass(frozen=True)
class _Block:
    """Whose the rows are, and their keys, reserved beforehand so that they can name one another."""

    integrations: list[Integration]
    count: int
    records: int
    runs: int
    batches: int
    posts: int

    def series(self, count: int) -> str:
        """Rows `n` from 1, each with its time `at` within the last year, ascending, and whose it is.

        Integrations take turns, as they do in time: of each five rows the largest one gets four. `number` counts the
        rows of one integration.
        """
        keys = ", ".join(str(one.pk) for one in self.integrations)
        owners = ", ".join(str(one.organization_id) for one in self.integrations)
        rest = len(self.integrations) - 1
        return f"""
        FROM (SELECT *, (ARRAY[{keys}])[1 + place] AS integration_id, (ARRAY[{owners}])[1 + place] AS organization_id
            FROM (SELECT n, now() - (1 - n / ({count} + 1.0)) * interval '365 days' AS at,
                CASE WHEN mod(n, {TURNS}) > 0 THEN 0 ELSE 1 + mod(n / {TURNS} - 1, {rest}) END AS place,
                CASE WHEN mod(n, {TURNS}) > 0 THEN n - n / {TURNS} ELSE (n / {TURNS} - 1) / {rest} + 1 END AS number
                FROM generate_series(1, {count}) AS n) AS turn) AS one"""  # noqa: S608  # numbers of ours

    def run_of(self, number: str) -> str:
        """The key of the run with that number of the same integration."""
        rest = len(self.integrations) - 1
        return (
            f"{self.runs} + CASE WHEN place = 0 THEN {number} + ({number} - 1) / {TURNS - 1} "
            f"ELSE {TURNS} * (({number} - 1) * {rest} + place) END"
        )


def _runs(block: _Block) -> None:
    every = tuple(registry.flows())
    ended = "at + interval '90 seconds'"
    insert(
        Run,
        {
            "id": f"{block.runs} + n",
            "integration_id": "integration_id",
            "flow": f"({array(every)})[1 + mod(number, {len(every)})]",
            "status": "CASE WHEN mod(n, 50) = 0 THEN 'failed' WHEN mod(n, 7) = 0 THEN 'partial' ELSE 'succeeded' END",
            "trigger": "'schedule'",
            "error_message": "CASE WHEN mod(n, 50) = 0 THEN 'SAP did not answer in time.' ELSE '' END",
            "read": str(RECORDS_PER_RUN),
            "confirmed": str(RECORDS_PER_RUN - 1),
            "failed": "CASE WHEN mod(n, 7) = 0 THEN 1 ELSE 0 END",
            "created_at": "at",
            "started_at": "at",
            "finished_at": ended,
        },
        block.series(block.count // RECORDS_PER_RUN),
    )
    with connection.cursor() as cursor:
        cursor.execute(_LAST_RUNS)


_LAST_RUNS = """
UPDATE syncengine_flowstate AS state SET last_run_id = newest.id
FROM (SELECT integration_id, flow, max(id) AS id FROM syncengine_run GROUP BY 1, 2) AS newest
WHERE state.integration_id = newest.integration_id AND state.flow = newest.flow
"""


_FIRST = ("Nordic", "Baltic", "Berg", "Aurora", "Karhu", "Lind", "Polar", "Sund", "Delta", "Meri", "Hansa", "Alpin")
_SECOND = ("Paper", "Steel", "Energy", "Logistics", "Foods", "Print", "Timber", "Software", "Cleaning", "Travel")
_FORMS = ("Oy", "AB", "GmbH", "AS", "Ltd", "SpA", "BV")


def _record_source(block: _Block) -> str:
    """Each with all that several of its columns need: flow, its number there, vendor, name, status, fault and words."""
    vendor = f"CASE WHEN mod(number, {KINDS}) = 4 THEN number / {KINDS} ELSE mod(number / {KINDS} * 7, 100003) END"
    fails = f"CASE WHEN place = 0 THEN {FAILS_OF_LARGEST} ELSE {FAILS_ELSEWHERE} END"
    return f"""
    FROM (SELECT *, CASE WHEN flow = 'invoices' THEN 'problems' ELSE 'mapping' END AS code,
            CASE WHEN flow = 'invoices' THEN format('G/L account %s is closed in SAP.', 4000 + fault)
                 WHEN mod(fault, 3) = 0 THEN 'name is required, but CardName has no value.'
                 ELSE format('Cost center CC%s is unknown in Basware.', fault) END AS words,
            (status = 'failed' OR (status = 'done' AND mod(k, 50) = 3)) AS has_failed
        FROM (SELECT *, format('%s %s %s',
                ({array(_FIRST)})[1 + mod(vendor, {len(_FIRST)})],
                ({array(_SECOND)})[1 + mod(vendor / 5, {len(_SECOND)})],
                ({array(_FORMS)})[1 + mod(vendor / 3, {len(_FORMS)})]) AS name,
            CASE WHEN mod(k, {fails}) = 0 THEN 'failed' WHEN mod(k, 97) = 1 THEN 'waiting'
                 WHEN mod(k, 89) = 2 THEN 'ignored' ELSE 'done' END AS status,
            floor({CAUSES} * power((hashint4(n) & 1048575) / 1048576.0, 3))::int AS fault
            FROM (SELECT *, number / {KINDS} AS k, ({array(FLOWS)})[1 + mod(number, {KINDS})] AS flow,
                {vendor} AS vendor {block.series(block.count)}) AS numbered) AS named) AS described
    """  # noqa: S608  # words and numbers of ours


def _records(block: _Block) -> None:
    money = "flow IN ('invoices', 'payments', 'purchase_orders')"
    cause = "code || ': ' || words"
    run = block.run_of(f"(1 + number / {RECORDS_PER_RUN})")
    source = """format('{"id": "%s", "name": "%s", "number": "RE-%s", "vendorCode": "V%s", "grossTotal": %s, "lines":
        [{"account": "%s", "text": "Goods and services as agreed, delivered in good order"}]}',
        n, name, k, lpad(vendor::text, 6, '0'), 100.25 + mod(n, 9000), 4000 + fault)"""
    insert(
        Record,
        {
            "id": f"{block.records} + n",
            "integration_id": "integration_id",
            "run_id": f"(SELECT id FROM syncengine_run WHERE id = {run})",  # noqa: S608  # a number of ours
            "flow": "flow",
            "key": """CASE WHEN flow = 'invoices' THEN md5(integration_id || '/' || number)
                WHEN flow = 'vendors' THEN 'V' || lpad(k::text, 6, '0')
                ELSE upper(left(flow, 2)) || '-' || number END""",
            "title": f"CASE WHEN {money} THEN name || ' RE-' || k ELSE name END",
            "reference": f"""CASE WHEN flow = 'payments' THEN md5(integration_id || '/' || number - 1)
                WHEN {money} THEN 'RE-' || k ELSE '' END""",
            "party": f"CASE WHEN {money} THEN 'V' || lpad(vendor::text, 6, '0') ELSE '' END",
            "search": f"CASE WHEN {money} THEN name ELSE '' END",
            "status": "status",
            "stage": """CASE WHEN status = 'failed' THEN 'checked' WHEN status <> 'done' THEN 'received'
                WHEN flow <> 'invoices' THEN 'confirmed' WHEN mod(k, 3) = 0 THEN 'posted' ELSE 'paid' END""",
            "amount": f"CASE WHEN {money} "
            "THEN round((10 + 50000 * power((hashint4(n) & 65535) / 65536.0, 3))::numeric, 2) END",
            "currency": f"CASE WHEN NOT {money} THEN '' WHEN mod(k, 9) = 0 THEN 'SEK' ELSE 'EUR' END",
            "next_attempt_at": "CASE WHEN status = 'waiting' THEN now() + interval '30 days' END",
            "confirmed_fingerprint": "md5(n::text)",
            "source": source,
            "target": source,
            "target_keys": """CASE WHEN status = 'done' THEN '{"external_code": "EC1"}' ELSE '{}' END::jsonb""",
            "error_code": "CASE WHEN status IN ('failed', 'waiting') THEN code ELSE '' END",
            "error_message": "CASE WHEN status IN ('failed', 'waiting') THEN words ELSE '' END",
            "error_hint": "CASE WHEN status IN ('failed', 'waiting') THEN 'Ask the SAP administrator.' ELSE '' END",
            "problems": "CASE WHEN status = 'failed' THEN jsonb_build_array(jsonb_build_object('message', words)) "
            "ELSE '[]'::jsonb END",
            "cause": f"CASE WHEN status IN ('failed', 'waiting') THEN {cause} ELSE '' END",
            "failed_for": f"CASE WHEN has_failed THEN {cause} ELSE '' END",
            "failed_at": "CASE WHEN has_failed THEN at END",
            "mended_at": "CASE WHEN has_failed AND status = 'done' THEN least(at + interval '1 day', now()) END",
            "found_by": "CASE WHEN flow = 'invoices' THEN 'webhook' ELSE '' END",
            "offered_at": "CASE WHEN flow = 'invoices' THEN at - interval '40 seconds' END",
            "created_at": "at",
            "updated_at": "at + interval '70 seconds'",
        },
        _record_source(block),
    )  # fmt: skip


def _of_block(block: _Block, condition: str) -> str:
    """Records of the block, each with its number `n` and its time `at`."""
    return (
        f"FROM (SELECT *, id - {block.records} AS n, created_at AS at FROM syncengine_record "  # noqa: S608  # as below
        f"WHERE id BETWEEN {block.records} AND {block.records + block.count} AND {condition}) AS record"
    )


_SENT_IN_BATCHES = "flow <> 'invoices'"
_POSTED = "flow = 'invoices' AND status = 'done'"


def _attempts(block: _Block) -> None:
    """A batch for each hundred records of master data, and a post for each invoice."""
    common = {
        "integration_id": "integration_id",
        "started_at": "at",
        "finished_at": "at + interval '1 second'",
    }
    batches = block.count // RECORDS_PER_BATCH
    insert(
        Attempt,
        {**common, "id": f"{block.batches} + n", "flow": "'vendors'", "kind": "'import'", "state": "'settled'",
         "key": "'batch/' || n", "request_id": "md5(n::text)", "entity_type": "'Vendor'"},
        block.series(batches),
    )  # fmt: skip
    insert(
        Attempt,
        {**common, "id": f"{block.posts} + n", "flow": "flow", "kind": "'post'", "state": "'done'",
         "run_id": "run_id", "record_id": "id", "key": "key", "payload": "target", "answer": """'{"DocNum": 4711}'"""},
        _of_block(block, _POSTED),
    )  # fmt: skip
    if batches:
        insert(
            AttemptItem,
            {"attempt_id": f"{block.batches} + least(1 + n / {RECORDS_PER_BATCH}, {batches})", "record_id": "id",
             "fingerprint": "fingerprint", "outcome": "'confirmed'"},
            _of_block(block, _SENT_IN_BATCHES),
        )  # fmt: skip


def _documents(block: _Block) -> None:
    insert(
        PostedDocument,
        {"integration_id": "integration_id", "record_id": "id", "entity_set": "'PurchaseInvoices'",
         "company": "'https://sap.example.com:50000/b1s/v2#load-' || integration_id", "doc_entry": "n",
         "doc_num": "100000 + n", "invoice_id": "key", "card_code": "party", "num_at_card": "reference",
         "created_at": "at + interval '60 seconds'"},
        _of_block(block, _POSTED),
    )  # fmt: skip


def _calls(block: _Block) -> None:
    """Three for each invoice that was posted, one for each batch."""
    common = {
        "integration_id": "integration_id",
        "duration_ms": "20 + mod(n, 300)",
        "outcome": "'ok'",
        "status": "200",
    }
    insert(
        Call,
        {**common, "record_id": "id", "run_id": "run_id", "system": "'sap_b1'",
         "attempt_id": f"CASE WHEN step = 2 THEN {block.posts} + n END",
         "method": "CASE WHEN step = 2 THEN 'POST' ELSE 'GET' END",
         "url": "'https://sap.example.com:50000/b1s/v2/PurchaseInvoices?$filter=NumAtCard eq ''' || reference || ''''",
         "request_body": "CASE WHEN step = 2 THEN target ELSE '' END", "response_body": "target",
         "started_at": "at + step * interval '1 second'"},
        f"{_of_block(block, _POSTED)} CROSS JOIN generate_series(1, 3) AS step",
    )  # fmt: skip
    insert(
        Call,
        {**common, "attempt_id": f"{block.batches} + n", "system": "'basware'", "method": "'POST'",
         "url": "'https://api.basware.example.com/v1/vendors'", "request_body": "'[]'", "started_at": "at"},
        block.series(block.count // RECORDS_PER_BATCH),
    )  # fmt: skip


def _notifications(block: _Block) -> None:
    insert(
        InboxNotification,
        {"integration_id": "integration_id", "task_id": "'load/' || n",
         "task_type": "'AccountingDocuments'", "task_sub_type": "'WaitingForTransfer'", "document_id": "key",
         "body": "'{}'", "received_at": "at", "processed_at": "at + interval '1 second'", "next_attempt_at": "at",
         "result": "'taken up'"},
        _of_block(block, "flow = 'invoices'"),
    )  # fmt: skip


def _notices(block: _Block) -> None:
    closed = block.count // RECORDS_PER_NOTICE - OPEN_NOTICES
    insert(
        Notice,
        {"organization_id": "organization_id", "integration_id": "integration_id", "kind": "'run_failed'",
         "subject_key": "'run ' || n", "message": "'The run of vendors failed.'", "raised_at": "at", "told_at": "at",
         "closed_at": f"CASE WHEN n <= {closed} THEN at + interval '1 hour' END"},
        block.series(block.count // RECORDS_PER_NOTICE),
    )  # fmt: skip


def _pings(block: _Block) -> None:
    insert(
        Ping,
        {"integration_id": "integration_id", "system": "system", "at": "at", "trigger": "'nightly'", "ok": "true",
         "failed": "0", "warnings": "0", "latency_ms": "40 + mod(n, 90)", "keeps_day": "true"},
        f"{block.series(PINGS * len(block.integrations))} CROSS JOIN unnest({array(tuple(System.values))}) AS system",
    )  # fmt: skip


def _events(block: _Block, per_record: int) -> None:
    """The last event of each record says what became of it."""
    steps = array(("received", "waiting", "retry", "answered"))
    insert(
        AuditEvent,
        {"organization_id": "integration.organization_id", "integration_id": "integration_id", "record_id": "record.id",
         "run_id": "run_id", "created_at": "at + step * interval '6 seconds'", "data": "'{}'",
         "actor": f"CASE WHEN mod(n, 500) = 0 AND step = 3 THEN '{MAKER}@example.com' ELSE 'system' END",
         "action": f"""'record.' || CASE WHEN step < {per_record} THEN ({steps})[1 + mod(step - 1, 4)]
             WHEN status = 'failed' THEN 'failed' WHEN status <> 'done' THEN 'waiting'
             WHEN flow = 'invoices' THEN 'done' ELSE 'confirmed' END""",
         "message": f"CASE WHEN step = {per_record} THEN error_message ELSE '' END"},
        f"{_of_block(block, 'true')} JOIN tenants_integration AS integration ON integration.id = integration_id "
        f"CROSS JOIN generate_series(1, {per_record}) AS step ORDER BY record.id, step",
    )  # fmt: skip


def _seals() -> None:
    """Seals over the events that were made, so that a worker has not millions of them to seal first."""
    insert(
        AuditSeal,
        {"organization_id": "organization_id", "number": "number", "first_id": "min(id)", "through_id": "max(id)",
         "members": "string_agg(id::text, ',' ORDER BY id)", "root": "'load'", "previous": "'load'", "head": "'load'",
         "sealed_at": "now()"},
        f"FROM (SELECT id, organization_id, (row_number() OVER (PARTITION BY organization_id ORDER BY id) "  # noqa: S608
        f"+ {BLOCK - 1}) / {BLOCK} AS number FROM syncengine_audit_event) AS numbered GROUP BY organization_id, number",
    )  # fmt: skip
