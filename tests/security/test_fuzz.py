"""Every parser of what comes from outside, with ten thousand inputs: an answer or a refusal in time, never a crash."""

from __future__ import annotations

import csv
import hmac
import inspect
import io
import json
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from itertools import cycle
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from rest_framework.exceptions import APIException
from rest_framework.test import APIRequestFactory, force_authenticate

from portal.api.parsers import BoundedJSONParser
from portal.api.views import audit
from portal.forms.tables import table_as_text, text_as_table
from portal.views import reconciliation, record_views
from syncengine.connectors import jsonio
from syncengine.connectors.basware import Basware, BaswareSettings
from syncengine.connectors.basware.notification import NotANotification, parse
from syncengine.connectors.basware.signature import verify
from syncengine.connectors.calls import Request, Response, utcnow
from syncengine.connectors.outcomes import ConnectorError
from syncengine.connectors.redaction import Redactor
from syncengine.connectors.sap_b1 import SapB1, SapSettings, literals
from syncengine.mapping import MappingRefused, compile_rules
from syncengine.notices.mail import one_line
from syncengine.reconciliation.report import Report
from syncengine.sandbox.sap_b1.filters import parse_filter
from syncengine.sandbox.sap_b1.model import entity_set
from syncengine.spreadsheets import FORMULA_STARTS, plain_text
from tenants.scoping import Access, access_of_member
from tests import factories
from tests.security.conftest import Prove
from tests.security.noise import MANY, Noise, inputs

SLOWEST = 2.0
KINDS = entity_set("PurchaseInvoices").type.kinds
NOTIFICATION = {
    "taskId": "5f0c1d", "taskStatus": "Created", "taskType": "AccountingDocuments", "documentId": "0" * 32,
    "taskSubType": "WaitingForTransfer", "expirationTime": "2026-11-20T08:00:00Z",
}  # fmt: skip


def crashes(given: Iterable[Any], use: Callable[[Any], Any], *fine: type[Exception]) -> list[str]:
    """The inputs that end in any other way than an answer or one of the errors that are `fine`, or too late."""
    found = []
    for one in given:
        begun = time.perf_counter()
        try:
            use(one)
        except fine:
            pass
        except Exception as error:  # noqa: BLE001  # any other is what is looked for
            found.append(f"{str(one)[:200]!r}: {error!r:.200} {_place(error)}")
        if time.perf_counter() - begun > SLOWEST:
            found.append(f"{str(one)[:200]!r} took {time.perf_counter() - begun:.1f} s")
    return found


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def test_bodies_of_the_webhook(prove: Prove):
    bodies = inputs("webhook", lambda noise: noise.json(NOTIFICATION))
    prove("fuzz: webhook bodies", MANY, crashes(bodies, parse, NotANotification))


def test_signatures_of_the_webhook(prove: Prove):
    """None of ten thousand guesses holds, and none breaks."""
    right = verify(b"{}", "sha256=" + _signed(b"{}"), ["secret"])
    assert right

    def guess(noise: Noise) -> str:
        spelled = noise.random.choice((_signed(noise.random.randbytes(8)), noise.text(90), "A" * 64, "=" * 44))
        return noise.random.choice(("sha256=", "", "SHA256=", "sha1=")) + noise.text(3) + spelled

    held = [one for one in inputs("signature", guess) if verify(b"{}", one, ["secret", "old"])]
    broken = crashes(inputs("signature", guess), lambda one: verify(b"{}", one, ["secret", "ö"]))
    prove("fuzz: webhook signatures", MANY, held + broken)


def _signed(body: bytes) -> str:
    return hmac.new(b"secret", body, "sha256").hexdigest()


PIECES = (
    "a", "b.c", "a[0]", "a[*].b", "[]", "*", "@", "|", "||", "&&", "!", "==", "<", "[?", "]", "(", ")", "{x: ", "}",
    "`1`", "`{\"a\": 1e999}`", "'t'", "\"q\"", "concat(", "lookup('t', ", "date(", "number(", "sort_by(", "&a", ",",
    "truncate(", "hash(", "to_string(", "join(',', ", "map(&", "\\", "'", "\"", "`", "[:9999999999]", "[::0]", "[-1]",
    "max_by(", "merge(", "[@,@]", "|[@,@][]", "{a:@,b:@}", "not_a_function(", "a" * 300, "((((((((((((((((((((",
)  # fmt: skip
SOURCE = {"a": [{"b": "x", "c": None}] * 20, "b": {"c": "2026-11-20"}, "c": Decimal("1.10"), "d": "ö" * 50}


def test_expressions_of_a_mapping(prove: Prove):
    def expression(noise: Noise) -> str:
        drawn = "".join(noise.random.choices(PIECES, k=noise.random.randrange(1, 12)))
        return noise.random.choice((drawn, drawn, noise.text(60), drawn * noise.random.randrange(1, 60)))

    def use(text: str) -> None:
        compile_rules([{"target": "x", "source": text}]).apply(SOURCE, lookups={"t": {"x": "y"}})

    prove("fuzz: mapping expressions, in time", MANY, crashes(inputs("mapping", expression), use, MappingRefused))


def test_bodies_of_the_api(prove: Prove):
    def use(body: bytes) -> None:
        BoundedJSONParser().parse(io.BytesIO(body))

    given = inputs("api", lambda noise: noise.json({"rules": [{"target": "name", "source": "CardName"}], "n": 1}))
    prove("fuzz: JSON bodies of the API", MANY, crashes(given, use, APIException))


def test_an_invoice_number_is_one_literal_whatever_it_holds(prove: Prove):
    """Read back by the sandbox's own parser of filters: the invoice's number is found, and nothing else is."""
    attacks = cycle(("' or 1 eq 1 or NumAtCard eq '", "''", "') or (DocEntry gt 0", "%27 or 1 eq 1", "&$filter=x", "#"))

    def use(text: str) -> None:
        sent = literals.query_string({"$filter": literals.all_of(literals.equals("NumAtCard", text), "DocEntry gt 0")})
        ((name, received),) = parse_qsl(sent, strict_parsing=True)
        assert name == "$filter"
        matches = parse_filter(received, KINDS, v1=False, fold=False, key="DocEntry").matches
        rows = [{"NumAtCard": one, "DocEntry": 1} for one in (text, f"{text}x", "other", None)]
        assert [matches(row) for row in rows] == [True, False, False, False]
        path = literals.entity_path("BusinessPartners", text)
        quoted = path.removeprefix("BusinessPartners('").removesuffix("')")
        assert not set(quoted) & set("/?#&'() ")
        assert unquote(quoted) == text.replace("'", "''")

    def number(noise: Noise) -> str:
        return noise.text(20).replace("\ud800", "") + next(attacks) + noise.text(20).replace("\ud800", "") + "!"

    prove("fuzz: OData literals", MANY, crashes(inputs("odata", number), use))


def one_of(deeds: Iterator[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Another deed for each client."""

    def do(client: Any) -> Any:
        return next(deeds)(client)

    return do


class Nonsense:
    """A transport whose other side answers anything at all."""

    def __init__(self, seed: str, document: Any) -> None:
        self.noise = Noise(seed)
        self.document = document

    def send(self, request: Request, judge: Callable[[Response], ConnectorError | None]) -> Response:
        noise = self.noise
        status = noise.random.choice((200, 200, 200, 201, 204, 207, 302, 400, 401, 404, 409, 429, 500, 503, 599, 999))
        headers = [(name, noise.text(30)) for name in _HEADERS if noise.random.random() < 0.3]
        response = Response(status, headers, noise.json(self.document), request.url)
        if fault := judge(response):
            raise fault
        return response


_HEADERS = (
    "Content-Type", "Retry-After", "Location", "Set-Cookie", "Date", "ETag", "x-amzn-RequestId",
    "X-amz-meta-continuationToken", "X-BWAPI-continuationToken", "Content-Length",
)  # fmt: skip
LOGIN = {"SessionId": "ab-cd", "Version": "1000280", "SessionTimeout": 30}
ROWS = {
    **LOGIN,
    "value": [{"DocEntry": 1, "NumAtCard": "RE-1", "DocTotal": 1.5, "DocDate": "2026-11-20T00:00:00Z"}],
    "@odata.nextLink": "PurchaseInvoices?$skip=20",
    "error": {"code": -5002, "message": {"lang": "en-us", "value": "1320000140 - no"}},
}


def test_answers_of_sap(prove: Prove):
    settings = SapSettings("https://sap.example.com/b1s/v2", "SBO", "user", "a-password")
    transport = Nonsense("sap", ROWS)
    deeds = cycle(
        (
            lambda sap: sap.login(),
            lambda sap: sap.get("PurchaseInvoices"),
            lambda sap: sap.by_key("PurchaseInvoices", 1),
            lambda sap: sap.find("PurchaseInvoices", where="", select=["DocEntry"], top=5),
            lambda sap: next(iter(sap.pages("PurchaseInvoices", key="DocEntry", select=["DocEntry"])), None),
            lambda sap: sap.create("PurchaseInvoices", {"CardCode": "V1"}),
            lambda sap: sap.action("PurchaseInvoices", 1, "Close"),
            lambda sap: sap.service("CompanyService_GetCompanyInfo"),
        )
    )
    clients = (SapB1(settings, transport, sleep=lambda _: None) for _ in range(MANY))
    prove("fuzz: SAP's answers", MANY, crashes(clients, one_of(deeds), ConnectorError))


def test_answers_of_basware(prove: Prove):
    settings = BaswareSettings("https://api.basware.com", "client", "a-secret", "1000")
    document = {
        "access_token": "token", "expires_in": 3600, "scope": "tasks.read", "token_type": "Bearer", "taskStatus": "x",
        "vendors": [{"externalCode": "V1", "errors": [{"message": "no"}]}], "accountingDocuments": [{"invoiceId": "i"}],
        "subscriptions": [NOTIFICATION], "requestId": "r", "items": [{"status": "Error"}], "code": "invalid_client",
    }  # fmt: skip
    transport = Nonsense("basware", document)
    deeds = cycle(
        (
            lambda basware: basware.token(),
            lambda basware: list(basware.records("vendors")),
            lambda basware: basware.record("vendors", "V1"),
            lambda basware: next(iter(basware.documents()), None),
            lambda basware: basware.document("i"),
            lambda basware: basware.import_records("vendors", [{"externalCode": "V1"}]),
            lambda basware: basware.request_status("r"),
            lambda basware: basware.subscriptions(),
        )
    )
    clients = (Basware(settings, transport) for _ in range(MANY))
    prove("fuzz: Basware's answers", MANY, crashes(clients, one_of(deeds), ConnectorError))


def test_json_of_both_systems_keeps_its_numbers(prove: Prove):
    def use(body: bytes) -> None:
        assert "float" not in str({type(value) for value in _walk(jsonio.loads(body))})

    given = inputs("json", lambda noise: noise.json({"DocTotal": 1.1, "lines": [{"price": 1e3}]}))
    prove("fuzz: JSON of both systems", MANY, crashes(given, use, ValueError))


def _walk(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(found for one in inner for found in _walk(one))]


SECRET = 'c4nary"/+=\\ö&?'
ENCODED = {SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1]}


def test_no_body_keeps_a_secret(prove: Prove):
    redactor = Redactor([SECRET], capture_chars=500)

    kinds = cycle(("application/json", "application/x-www-form-urlencoded", "text/html"))

    def use(body: bytes) -> None:
        kept = redactor.body(body, next(kinds))
        assert not [form for form in ENCODED if form in kept], kept
        redactor.headers([("X-Any", body.decode(errors="replace"))])
        redactor.url("https://a.example/" + body.decode(errors="replace"))

    def body(noise: Noise) -> bytes:
        told = {"note": f"the password {SECRET} is wrong", "SessionId": SECRET, "nested": {"client_secret": [SECRET]}}
        return noise.json({**told, "inner": json.dumps(told), noise.text(9): "x" * noise.random.randrange(600)})

    prove("fuzz: bodies hold no secret after capture", MANY, crashes(inputs("redaction", body), use))


def test_no_cell_of_an_export_is_a_formula(prove: Prove):
    def use(text: str) -> None:
        sheet = io.StringIO(newline="")
        csv.writer(sheet).writerow([plain_text(text), "next"])
        sheet.seek(0)
        ((cell, following),) = csv.reader(sheet)
        assert following == "next"
        assert not cell.startswith(FORMULA_STARTS)
        assert cell.removeprefix("'") == text.removeprefix("'")

    def cell(noise: Noise) -> str:
        start = noise.random.choice(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "", '"', "'"))
        return f"{start}{noise.random.choice(('HYPERLINK(', 'cmd|', '', '1'))}{noise.text(20)}".replace("\0", "")

    prove("fuzz: cells of exports are no formulas", MANY, crashes(inputs("cells", cell), use))


def test_a_text_in_a_header_is_one_line(prove: Prove):
    def use(text: str) -> None:
        assert not re.search(r"[\r\n\x00-\x1f\x7f\u2028\u2029\u0085]", one_line(text, 60))

    given = inputs("lines", lambda noise: noise.text(30) + noise.random.choice(("\r\n", "\n", "\r", "\x85")) + "Bcc: x")
    prove("fuzz: subjects of e-mails are one line", MANY, crashes(given, use))


CELLS = (
    "V100", " x ", "=", ";", ",", "\t", '"', '""', '"a;b"', '"=', "from", "to", "from;to", "source,target", " ", "\x0b",
    "\x85", "\u2028", "\x00", "'=1+1", "a = b", "Ünïcode", "1,5", '"a" "b"', "\\", "\ufeff", "\u200b", "x" * 300,
)  # fmt: skip


def test_a_pasted_table_is_read_and_written_back_the_same(prove: Prove):
    def paste(noise: Noise) -> str:
        lines = ("".join(noise.random.choices(CELLS, k=noise.random.randrange(7))) for _ in range(6))
        ending = noise.random.choice(("\n", "\r\n", "\r"))
        return ending.join(noise.random.choice((line, line, noise.text(40))) for line in lines)

    def use(text: str) -> None:
        table = text_as_table(text)
        assert all(isinstance(one, str) for pair in table.items() for one in pair)
        assert text_as_table(table_as_text(table)) == table

    prove("fuzz: pasted tables", MANY, crashes(inputs("tables", paste), use, ValidationError))


HUGE = ('"' * 300_000, "a=" * 300_000, '"a",' * 100_000, "=\n" * 300_000, f"{'x' * 50}\n" * 30_000, " " * 900_000)


@pytest.mark.parametrize("text", HUGE, ids=range(len(HUGE)))
def test_a_huge_table_is_read_or_refused_in_time(text, prove: Prove):
    prove("fuzz: pasted tables", 1, crashes([text], text_as_table, ValidationError))


NAMED = re.compile(r'attachment; filename="[a-z]+[a-z0-9-]*\.(csv|jsonl|pdf)"')


def test_the_file_name_of_a_download_is_ours_whatever_was_asked_for(organization, monkeypatch, prove: Prove):
    """Names, filters, days and formats come from outside; none of them reaches a header."""
    owner = factories.member(organization, "owner")
    organization.name = 'x"; filename="evil.exe'
    integration = factories.IntegrationFactory(organization=organization, name='../../"evil.html')
    access = access_of_member(owner, organization.slug)
    report = partial(Report, read_at=utcnow(), rows=[], payments=[])
    monkeypatch.setattr(reconciliation, "_report", lambda _, first, last, again: report(first, last))
    pages = {record_views.export: 5_000, audit.AuditExport: 4_500, reconciliation.reconciliation: MANY - 9_500}

    def query(noise: Noise) -> dict[str, str]:
        names = ("format", "last_day", "q", "status", "flow", "filename", "sort", "outcome", "action", "actor")
        found = {name: noise.text(30).replace("\ud800", "") for name in names}
        wanted = noise.random.choice((found["format"], 'csv"; x="', "csv", "csv", "jsonl", "pdf\r\nX: y"))
        last = noise.random.choice((found["last_day"], "2026-05-31", "31.05.2026", "0001-01-01"))
        return {**found, "format": wanted, "first_day": "0001-01-01", "last_day": last}

    def use(page: Any, asked: dict[str, str]) -> None:
        answer = opened(page, asked, access, integration.pk)
        if "Content-Disposition" in answer:
            named[page] += 1
            assert NAMED.fullmatch(answer["Content-Disposition"]), answer["Content-Disposition"]
            assert not answer["Content-Type"].startswith("text/html")

    wrong: list[str] = []
    named = Counter[Any]()
    for page, many in pages.items():
        wrong += crashes(inputs(page.__name__, query, many), partial(use, page))
    assert named.keys() == pages.keys()
    prove("fuzz: file names of downloads", MANY, wrong)


def opened(page: Any, asked: dict[str, str], access: Access, integration_id: int) -> Any:
    """What the page or the API answers, without the middleware."""
    if not inspect.isclass(page):
        request = RequestFactory().get("/", asked)
        request.user, request.session = access.user, {}
        return inspect.unwrap(page)(request, access, integration_id)
    request = APIRequestFactory().get("/", asked)
    force_authenticate(request, access.user, access)
    return page.as_view()(request)
