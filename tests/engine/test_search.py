"""Finding a record by what people know of it."""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from time import perf_counter
from uuid import uuid4

import pytest
from django.db import connection

from syncengine.engine import search
from syncengine.engine.search import Found, amounts_of, best, narrow
from syncengine.models import Record
from tenants.row_security import bound_to, unbound
from tests import factories
from tests.postgres import create_database, moved_to, postgres_url

__all__ = ["postgres_url"]

HOSTILE = [
    "%",
    "_",
    "%%%",
    "\\",
    "' OR 1=1 --",
    '"; DROP TABLE x',
    "\0",
    "\x00RE-4711\x00",
    "€",
    "-",
    "()",
    "x" * 5000,
    "9" * 400,
]


def fill(integration):
    """What people look for, and what lies around it."""
    factories.invoice(
        integration, key="8f3a1111-2222-3333-4444-555566667777", title="RE-4711 Müller Stahl GmbH", reference="RE-4711",
        party="V20000", search="re-4711 müller stahl gmbh v20000 200045 510099", amount=Decimal("1234.50"),
    )  # fmt: skip
    factories.invoice(integration, key="9b1c", title="RE-47 Nordic Paper Oy", reference="RE-47", amount=Decimal(4711))
    factories.invoice(
        integration, key="9b1d", title="RE-470 100% Acme", reference="RE-470", amount=Decimal("1234.5"), currency="USD"
    )


@pytest.fixture
def integration(db):
    made = factories.IntegrationFactory()
    fill(made)
    return made


def found(integration, text):
    return {record.reference for record in best([integration], text, 20, Record.objects.all())}


FINDS = [
    ("RE-4711", {"RE-4711"}),
    ("re-4711", {"RE-4711"}),
    ("4711", {"RE-4711", "RE-47"}),
    ("711", {"RE-4711"}),
    ("müller", {"RE-4711"}),
    ("MÜLLER stahl", {"RE-4711"}),
    ("stahl 4711", {"RE-4711"}),
    ("V20000", {"RE-4711"}),
    ("200045", {"RE-4711"}),
    ("510099", {"RE-4711"}),
    ("8f3a1111-2222-3333-4444-555566667777", {"RE-4711"}),
    ("1,234.50", {"RE-4711", "RE-470"}),
    ("1.234,50", {"RE-4711", "RE-470"}),
    ("1 234,50", {"RE-4711", "RE-470"}),
    ("1'234.50 EUR", {"RE-4711"}),
    ("1234.5 EUR", {"RE-4711"}),
    ("EUR 1234.5", {"RE-4711"}),
    ("1234.50€", {"RE-4711"}),
    ("$1234.50", {"RE-4711", "RE-470"}),
    ("1234.5 usd", {"RE-470"}),
    ("1234.5 SEK", set()),
    ("oy", {"RE-47"}),
    ("ordic", {"RE-47"}),
    ("100%", {"RE-470"}),
    ("nordic stahl", set()),
    ("", set()),
    ("   ", set()),
]


@pytest.mark.parametrize(("text", "references"), FINDS)
def test_it_is_found_by_what_people_type(integration, text, references):
    assert found(integration, text) == references


def test_it_is_found_by_our_own_number(integration):
    record = Record.objects.get(reference="RE-47")
    assert found(integration, f"#{record.pk}") == {"RE-47"}
    assert found(integration, "#999999999999999999") == set()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_finds_nothing_it_should_not_and_breaks_nothing(integration, text):
    assert found(integration, text) <= {"RE-4711"}


def test_what_is_called_exactly_so_comes_first(integration):
    for number in range(5):
        factories.invoice(integration, key=f"later-{number}", title=f"RE-47{number}9", reference=f"RE-47{number}9")
    assert best([integration], "re-47", 3, Record.objects.all())[0].reference == "RE-47"
    assert best([integration], "9b1c", 3, Record.objects.all())[0].reference == "RE-47"


def test_several_integrations_are_searched_together_and_no_other(integration):
    second, foreign = (
        factories.IntegrationFactory(organization=integration.organization),
        factories.IntegrationFactory(),
    )
    factories.invoice(second, reference="RE-4799", title="RE-4799")
    factories.invoice(foreign, reference="RE-4798", title="RE-4798")
    shown = Record.objects.of(integration.organization)
    assert [record.reference for record in best([integration, second], "re-479", 5, shown)] == ["RE-4799"]


def test_a_page_is_cut_in_the_order_asked(integration):
    rows = Found(integration, Record.objects.filter(integration=integration), "re-4")
    assert [record.reference for record in rows.order_by("-pk")[:2]] == ["RE-470", "RE-47"]
    assert [record.reference for record in rows.order_by("pk")[:2]] == ["RE-4711", "RE-47"]
    last = rows.order_by("-pk")[:1][0].pk
    assert [record.reference for record in rows.filter(pk__lt=last).order_by("-pk")[:5]] == ["RE-47", "RE-4711"]


def test_blank_text_narrows_nothing(integration):
    assert narrow(Record.objects.all(), "  ").count() == 3


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("1,234.50", ["1234.50"]),
        ("1.234,50", ["1234.50"]),
        ("1 234 567,8", ["1234567.8"]),
        ("1,234", ["1.234", "1234"]),
        ("1.234.567", ["1234567"]),
        ("4711", ["4711"]),
        ("-5", ["-5"]),
        ("12.34.5", []),
        ("1,2,3", []),
        ("1.23456789", []),
        ("99999999999999999999", []),
        ("", []),
    ],
)
def test_an_amount_is_read_as_either_side_of_the_channel_writes_it(text, amounts):
    assert amounts_of(text) == [Decimal(amount) for amount in amounts]


SOME = """INSERT INTO syncengine_record (integration_id, flow, key, title, search, status, stage, part, action, flags,
    notes, amount, currency, attempts, lease_owner, fingerprint, confirmed_fingerprint, target_keys, memo, reference,
    party, error_code, error_message, error_hint, cause, problems, decisions, mapping_version, active, resend_mark,
    created_at, updated_at)
SELECT %s, 'invoices', k, r || ' ' || v, lower(k || ' ' || r || ' ' || v || ' ' || (500000 + n)), 'done', 'posted', '',
    '', '[]', '[]', n / 100.0, 'EUR', 1, '', '', '', '{}', '{}', r, 'V' || n %% 500, '', '', '', '', '[]', '[]', 0,
    true, 0, now(), now()
FROM (SELECT n, md5(n::text)::uuid::text k, 'INV-' || lpad(n::text, 7, '0') r,
        (ARRAY['Nordic Paper Oy', 'Bergen Fisk AS'])[1 + n %% 2] v FROM generate_series(1::bigint, %s) n) made"""
ROWS = 20_000
QUICK = 0.3


@pytest.fixture
def many(transactional_db, postgres_url):
    with moved_to(create_database(postgres_url, f"search_{uuid4().hex}")):
        made = factories.IntegrationFactory()
        fill(made)
        yield made


def multiply(integration):
    with connection.cursor() as cursor:
        cursor.execute(SOME, [integration.pk, ROWS])
        cursor.execute("ANALYZE syncengine_record")


def seconds_to_find(integration, text):
    began = perf_counter()
    assert found(integration, text), text
    return perf_counter() - began


def test_postgresql_finds_the_same_and_any_of_many_quickly(many):
    with bound_to(many.organization):
        for text, references in FINDS:
            assert found(many, text) == references, text
        for text in HOSTILE:
            assert found(many, text) <= {"RE-4711"}, text
    multiply(many)
    with bound_to(many.organization):
        for text in ("INV-0004711", "0012345", "V77", "nordic 0199", "512345", "123.45", "fisk", "oy", "12"):
            assert min(seconds_to_find(many, text) for _ in range(3)) < QUICK, text


def test_pages_of_a_common_word_go_on_where_the_last_one_ended(many, monkeypatch):
    multiply(many)
    monkeypatch.setattr(search, "MANY", 100)
    monkeypatch.setattr(search, "NEAR", 500)
    rows = Found(many, Record.objects.filter(integration=many), "fisk").order_by("-pk")
    first = rows[:50]
    second = rows.filter(pk__lt=first[-1].pk)[:50]
    assert [record.pk for record in [*first, *second]] == sorted({one.pk for one in [*first, *second]}, reverse=True)
    assert first[-1].pk - second[0].pk == 2  # every other one is Bergen Fisk's
    assert len(Found(many, Record.objects.filter(pk__lt=300), "nordic").order_by("pk")[:400]) in range(140, 152)


def test_postgresql_answers_with_the_index_although_the_role_hides_rows(many):
    migration = import_module("syncengine.migrations.0013_search")
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'record_words'")
        assert "gin_trgm_ops" in cursor.fetchone()[0]
    multiply(many)
    with bound_to(many.organization), unbound(), search._planned("enable_seqscan", "enable_indexscan"):
        assert "Bitmap Index Scan on record_words" in search.narrow(Record.objects.all(), "0004711").explain()
    asked = str(search.narrow(Record.objects.all(), "words").query).replace('"syncengine_record".', "").replace('"', "")
    assert migration._WORDS in asked
