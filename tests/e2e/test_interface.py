"""interface.md from outside, sentence by sentence: what other people's tools rely on, against real processes.

The tests of one world run in the order of this file: set-up, runs, records, webhook, pages.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from portal.demo.story import Story
from tests.e2e.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-interface")]

FLOWS = [
    "payment_terms",
    "tax_codes",
    "gl_accounts",
    "cost_centers",
    "projects",
    "vendors",
    "purchase_orders",
    "invoices",
    "payments",
]
RESEND_FIELDS = {
    "gl_accounts": "text5",
    "cost_centers": "text10",
    "vendors": "description",
    "projects": "description",
    "purchase_orders": "text10",
}
SETTINGS = {"time_zone": "UTC", "hold_bank_changes": True, "matching": "receipt", "post_from_failed": True}
PASSWORD = "a-long-pass-word-77"  # of somebody who lives as long as this test
OF_THE_SWEEP = {"POST /v1/tokens", "GET /v1/accountingDocuments"}
COUNTS = {"read", "unchanged", "sent", "confirmed", "failed", "created", "updated", "closed"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of its own: what is tried here would be in the way of the main job."""
    folder = tmp_path_factory.mktemp("interface")
    world = World(folder, f"sqlite:///{folder / 'interface.sqlite3'}")
    world.installation.environment["EMAIL_URL"] = "console"
    try:
        world.start()
        yield world
    finally:
        world.stop()


class Caller:
    """An outside tool with an organization's key."""

    def __init__(self, world: World, key: str) -> None:
        self.url, self.key, self.world = world.installation.url, key, world
        self.story = Story(world.installation.api(key), world.installation.processes.check)

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Api-Key {self.key}", **options.pop("headers", {})}
        address = f"{self.url}/api/v1/{path}"
        return requests.request(method, address, json=body, headers=headers, timeout=100, **options)

    def new_integration(self, name: str, **connections: dict[str, Any]) -> str:
        made = self("POST", "integrations/", {"name": name})
        assert made.status_code == 201
        path = f"integrations/{made.json()['id']}/"
        for system, fields in connections.items():
            assert self("PUT", f"{path}connections/{system}/", fields).status_code == 200
        return path

    def run(self, path: str, flow: str) -> list[dict[str, Any]]:
        """Ask for runs; 202; each as it ends."""
        asked = self("POST", f"{path}runs/", {"flow": flow})
        assert asked.status_code == 202
        return self.story.await_final([run["id"] for run in asked.json()["runs"]])


@pytest.fixture(scope="module")
def call(world: World) -> Caller:
    made = world.installation.manage("createorganization", "Outside Oy", "--owner", "out@example.com", "--api-key")
    return Caller(world, json.loads(made)["api_key"])


@pytest.fixture(scope="module")
def main(world: World) -> Caller:
    """The organization whose integration is connected."""
    return Caller(world, world.key)


@pytest.fixture(scope="module")
def path(world: World) -> str:
    return world.story.path.lstrip("/")


def remote_calls(world: World) -> dict[str, int]:
    """How often each call came, but for those of the sweep of the integration that is connected."""
    every = {
        call: number
        for traffic in world.control.get("/requests").values()
        for call, number in traffic["counts"].items()
    }
    return {call: number for call, number in every.items() if call not in OF_THE_SWEEP}


# Commands


def test_createorganization_prints_one_line_of_json_and_nothing_else(world: World) -> None:
    printed = world.installation.manage("createorganization", "Third Oy", "--owner", "third@example.com", "--api-key")
    assert printed.count("\n") == 1
    assert json.loads(printed).keys() == {"organization", "owner", "api_key"}


@pytest.mark.parametrize("arguments", [("sync", "999999"), ("createorganization", "X", "--owner", "nobody")])
def test_a_command_that_cannot_be_carried_out_fails_and_leaves_standard_output_empty(world: World, arguments) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        world.installation.manage(*arguments)
    assert failed.value.returncode
    assert failed.value.stdout == ""


# Integrations and connections


def test_a_new_integration_has_the_defaults_that_are_promised(call: Caller) -> None:
    shown = call("GET", call.new_integration("Defaults")).json()
    assert (shown["enabled"], shown["paused"], shown["health"]) == (True, None, "unconfigured")
    assert list(shown["flows"]) == FLOWS
    for name, flow in shown["flows"].items():
        assert (flow["enabled"], flow["schedule"], flow["full_schedule"]) == (True, None, None)
        assert flow["resend_field"] == RESEND_FIELDS.get(name, flow["resend_field"])
    assert SETTINGS.items() <= shown["settings"].items()
    assert shown["webhook_url"].startswith(f"{call.url}/webhooks/basware/")


def test_a_secret_is_write_only_and_stays_until_host_or_port_change(call: Caller, world: World) -> None:
    sap = world.installation.sandbox["sap_b1"]
    path = f"{call.new_integration('Secrets', sap_b1=sap)}connections/sap_b1/"
    shown = call("GET", path)
    assert shown.json()["password"]["set"] is True
    assert sap["password"] not in shown.text
    without = {name: value for name, value in sap.items() if name != "password"}
    assert call("PUT", path, without).status_code == 200
    moved = call("PUT", path, {**without, "base_url": "http://127.0.0.1:9/b1s/v2"})
    assert (moved.status_code, moved.json()["errors"][0]["field"]) == (400, "password")


def test_a_ping_lists_both_systems_though_none_is_set_up(call: Caller) -> None:
    answer = call("POST", f"{call.new_integration('Ping')}ping/")
    assert answer.status_code == 200
    systems = answer.json()["systems"]
    assert [(one["system"], one["ok"]) for one in systems] == [("sap_b1", False), ("basware", False)]


def test_a_ping_names_its_checks_literally(main: Caller, path: str) -> None:
    answer = main("POST", f"{path}ping/").json()
    assert answer["ok"] is True
    for system, needed in (
        ("sap_b1", {"reach", "login", "version", "read:BusinessPartners", "write:PurchaseInvoices"}),
        ("basware", {"reach", "login", "version", "read:accountingDocuments", "write:vendors"}),
    ):
        (one,) = [entry for entry in answer["systems"] if entry["system"] == system]
        assert needed <= {check["name"] for check in one["checks"]}


# Runs


def test_a_run_of_what_is_not_set_up_ends_failed_without_a_remote_call(call: Caller, world: World) -> None:
    path = call.new_integration("Nothing")
    before = remote_calls(world)
    runs = call.run(path, "all")
    assert [(run["flow"], run["status"]) for run in runs] == [(name, "failed") for name in FLOWS]
    assert all(run["error"]["message"] for run in runs)
    assert remote_calls(world) == before


def test_a_refused_log_in_pauses_and_from_then_on_no_run_calls(call: Caller, world: World) -> None:
    wrong = {**world.installation.sandbox["sap_b1"], "password": "wrong"}
    path = call.new_integration("Paused", sap_b1=wrong, basware=world.installation.sandbox["basware"])
    assert call.run(path, "projects")[0]["status"] == "failed"
    assert call("GET", path).json()["paused"]["reason"]

    before = remote_calls(world)
    (run,) = call.run(path, "projects")
    assert (run["status"], run["error"]["code"]) == ("failed", "integration_paused")
    assert remote_calls(world) == before

    # Off before the pause ends: the sweep, too, would log in as soon as it may.
    assert call("PATCH", path, {"enabled": False}).status_code == 200
    assert call("PUT", f"{path}connections/sap_b1/", wrong).status_code == 200
    assert call("GET", path).json()["paused"] is None
    (run,) = call.run(path, "projects")
    assert (run["status"], run["error"]["code"]) == ("failed", "integration_disabled")
    assert remote_calls(world) == before


def test_all_is_a_run_per_flow_in_order_and_who_asks_again_is_answered_with_the_same(main: Caller, path: str) -> None:
    first, again = (main("POST", f"{path}runs/", {"flow": "all", "mode": "incremental"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    asked = first.json()
    assert [run["flow"] for run in asked["runs"]] == FLOWS
    assert (asked["id"], asked["flow"], asked["status"]) == (asked["runs"][0]["id"], "all", "queued")
    last = asked["runs"][-1]["id"]
    assert again.json()["runs"][-1]["id"] == last
    runs = main.story.await_final([run["id"] for run in asked["runs"]])
    for run in runs:
        assert run["counts"].keys() == COUNTS
        assert run["progress"] == 1
        assert run["finished_at"]
    made = main("GET", f"{path}runs/").json()["results"]  # a schedule may have had its time meanwhile
    assert next(run["id"] for run in made if run["trigger"] == runs[-1]["trigger"]) == last


def test_the_sync_command_prints_a_line_of_counts_per_flow(main: Caller, path: str) -> None:
    integration = path.strip("/").rpartition("/")[2]
    printed = main.world.installation.manage("sync", integration, "projects", "cost_centers")
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line["flow"] for line in lines] == ["projects", "cost_centers"]
    assert all(line.keys() >= COUNTS and line["read"] == line["unchanged"] > 0 for line in lines)


# Records


def test_records_come_newest_first_a_hundred_a_page_with_an_absolute_next(main: Caller, path: str) -> None:
    page = main("GET", f"{path}records/").json()
    assert len(page["results"]) == 100
    assert page["next"].startswith(f"{main.url}/api/v1/")
    following = requests.get(page["next"], headers={"Authorization": f"Api-Key {main.key}"}, timeout=30).json()
    ids = [record["id"] for record in [*page["results"], *following["results"]]]
    assert ids == sorted(set(ids), reverse=True)


def test_a_posted_invoice_is_found_by_all_its_names(main: Caller, path: str) -> None:
    (record, *_) = main("GET", f"{path}records/?flow=invoices&status=done").json()["results"]
    detail = main("GET", f"records/{record['id']}/").json()
    source = detail["source"]
    for name in ("invoiceNumber", "invoiceId", "supplierCode", "supplierName"):
        found = main("GET", f"{path}records/", params={"search": source[name]}).json()["results"]
        assert record["id"] in {one["id"] for one in found}, name
    assert {"problems", "events", "calls", "source", "target", "decisions", "mapping_version"} <= detail.keys()
    assert "sandbox-secret" not in json.dumps(detail["calls"])


def test_a_number_that_sap_does_not_show_is_400_and_an_answered_invoice_is_ignored_just_so(
    main: Caller, path: str
) -> None:
    (record, *_) = main("GET", f"{path}records/?flow=invoices&status=failed").json()["results"]
    refused = main("POST", f"records/{record['id']}/ignore/", {"booked_as": 99999999})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "booked_as")
    assert main("POST", f"records/{record['id']}/ignore/").json()["status"] == "ignored"
    replayed = main("POST", f"records/{record['id']}/replay/")
    assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")


def test_records_are_replayed_in_bulk(main: Caller, path: str) -> None:
    chosen = main("GET", f"{path}records/?flow=invoices&status=failed").json()["results"][-1:]
    answer = main("POST", f"{path}replays/", {"record_ids": [record["id"] for record in chosen]})
    assert (answer.status_code, answer.json()) == (202, {"count": 1})


@pytest.mark.parametrize("flow", [name for name in FLOWS if name != "payments"])
def test_a_preview_takes_a_real_record_of_each_flow(main: Caller, path: str, flow: str) -> None:
    shown = main("POST", f"{path}mappings/{flow}/preview/")
    assert shown.status_code == 200
    assert shown.json().keys() == {"source", "target", "problems"}
    assert main("POST", f"{path}mappings/{flow}/preview/", {"key": "no such key"}).status_code == 400


# Webhook


def body(**changed: Any) -> bytes:
    note = {"taskId": str(uuid.uuid4()), "taskStatus": "New", "taskType": "AccountingDocuments", "documentId": "none"}
    return json.dumps({**note, **changed}).encode()


def signature(raw: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def secret_in_force(world: World) -> str:
    """The token of the newest subscription, as Basware was told it."""
    asked = [one for one in world.control.get("/requests")["basware"]["log"] if one["method"] == "POST"]
    bodies = [one["body"] for one in asked if one["path"].endswith("/subscriptions")]
    return str(json.loads(bodies[-1])[0]["webhookAuthenticationToken"])


def test_notifications_are_taken_by_their_signature_and_both_secrets_are_good_during_a_rotation(
    main: Caller, path: str, world: World
) -> None:
    address = main("GET", path).json()["webhook_url"]

    def post(raw: bytes, sign: str | None = None) -> requests.Response:
        headers = {"Content-Type": "application/json"} | ({"X-BWAPI-Signature-256": sign} if sign else {})
        return requests.post(address, raw, headers=headers, timeout=30)

    assert main("POST", f"{path}webhook/").json()["subscribed"] is True
    old = secret_in_force(world)
    assert len(old) >= 32
    note = body()
    good = post(note, signature(note, old))
    assert (good.status_code, good.json()) == (200, json.loads(note))
    assert post(note, signature(note, old)).status_code == 200  # the same task again: nothing new
    assert post(note).status_code == 401
    assert post(note, signature(note + b" ", old)).status_code == 401
    test = body(taskType="ConnectionTest")
    assert (post(test).status_code, post(test, "0" * 64).status_code) == (200, 401)
    large = body(documentId="x" * 70_000)
    assert post(large, signature(large, old)).status_code == 413

    assert main("POST", f"{path}webhook/").json()["subscribed"] is True
    new = secret_in_force(world)
    assert new != old
    for secret in (old, new):
        another = body()
        assert post(another, signature(another, secret)).status_code == 200


# Whatever comes


NONSENSE = [b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b'{"name":"\\u0000"}', b"[" * 50_000, b'{"a":' * 3_000]
PLACES = ["integrations/", "api-keys/", "members/invite/", "{path}runs/", "{path}replays/", "{path}mappings/vendors/"]


@pytest.mark.parametrize("place", PLACES)
def test_nonsense_is_refused_as_a_problem(call: Caller, place: str) -> None:
    path = call.new_integration(f"For nonsense at {place}")
    method = "PUT" if "mappings" in place else "POST"
    for raw in NONSENSE:
        address = f"{call.url}/api/v1/{place.format(path=path)}"
        headers = {"Authorization": f"Api-Key {call.key}", "Content-Type": "application/json"}
        answer = requests.request(method, address, data=raw, headers=headers, timeout=30)
        if raw == b"" and "replays" in place:
            continue  # every part of its body is optional
        assert answer.status_code == 400, raw[:20]
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_belongs_to_others_is_404_for_every_method_it_knows_and_405_for_others(call: Caller, path: str) -> None:
    for method, status in (("GET", 404), ("PATCH", 404), ("DELETE", 404), ("PUT", 405), ("POST", 405)):
        assert call(method, path, {}).status_code == status, method


# Health, pages


def test_health_has_an_entry_for_each_part_and_metrics_are_for_this_machine_only(world: World) -> None:
    url = world.installation.url
    health = requests.get(f"{url}/healthz/", timeout=30)
    assert health.status_code == 200
    assert health.json()["status"] in {"ok", "degraded"}
    assert {"database", "broker", "workers", "oldest_due_work"} <= health.json().keys()
    assert "ledgerbridge_" in requests.get(f"{url}/metrics", timeout=30).text
    assert requests.get(f"{url}/metrics", headers={"X-Forwarded-For": "198.51.100.7"}, timeout=30).status_code == 404


@pytest.mark.parametrize("page", ["/", "/accounts/login/", "/accounts/signup/", "/admin/login/", "/api/v1/docs/"])
def test_pages_are_there_before_anybody_has_collected_static_files(world: World, page: str) -> None:
    assert requests.get(f"{world.installation.url}{page}", timeout=30).status_code == 200


def send(session: requests.Session, url: str, **fields: str) -> requests.Response:
    """Fill in the form of a page as a browser without JavaScript does."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', session.get(url, timeout=30).text)
    assert token
    data = {"csrfmiddlewaretoken": token[1], **fields}
    return session.post(url, data=data, headers={"Referer": url}, timeout=30)


def test_people_sign_up_and_in_without_javascript_by_the_link_in_the_log(world: World) -> None:
    # Nobody gets two links within minutes, and the checkout's cache remembers the last test run.
    url, email, session = world.installation.url, f"{uuid.uuid4().hex}@example.com", requests.Session()
    said = send(session, f"{url}/accounts/signup/", email=email, password1=PASSWORD, password2=PASSWORD)
    assert "the link is in the server's log" in said.text
    log = world.installation.processes["web"].log

    def link() -> re.Match[str] | None:
        return re.search(rf"{re.escape(url)}/accounts/confirm-email/\S+", log.read_text())

    send(session, world.eventually(link, "the link in the log")[0])
    assert send(session, f"{url}/accounts/login/", login=email, password=PASSWORD).status_code == 200
    home = send(session, f"{url}/organizations/new/", name="Anna's", time_zone="Europe/Helsinki")
    assert re.fullmatch(rf"{re.escape(url)}/o/[\w-]+/", home.url)
    assert session.get(f"{home.url}api/v1/integrations/", timeout=30).json()["results"] == []
    assert session.get(f"{url}/o/outside-oy/api/v1/integrations/", timeout=30).status_code == 404
