"""The newcomer's path: sign up, connect, ping, run, look at a record, replay what failed; or look around first."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from playwright.sync_api import Page, expect

from syncengine.engine.sandbox_house import House
from syncengine.models import PostedDocument, Record
from syncengine.sandbox.launch import Sandboxes
from tenants.models import Integration
from tests.engine.world import World
from tests.factories import PASSWORD

EMAIL = "anna@nordic-paper.example.com"
SOON = 15_000
PATIENCE = 90_000
FIVE_MINUTES = 300


@pytest.fixture
def newcomer(page: Page, site: str, sandboxes: Sandboxes, shot: Callable[[str], None], worker: None) -> Any:
    return Newcomer(page, site, sandboxes, shot)


class Newcomer:
    """A person at a browser, and the systems they want to connect."""

    def __init__(self, page: Page, site: str, sandboxes: Sandboxes, shot: Callable[[str], None]) -> None:
        self.page = page
        self.site = site
        self.sandboxes = sandboxes
        self.shot = shot

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"#id_{name}").fill(value)

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=SOON)

    def signs_up(self) -> None:
        self.page.goto(self.site)
        self.shot("01-landing")
        self.follow("Connect your systems")
        self.fill(email=EMAIL, password1=PASSWORD, password2=PASSWORD)
        self.shot("02-sign-up")
        self.press("Sign up")
        self.sees("Check your e-mail")
        self.page.goto(re.search(r"http\S+/confirm-email/\S+", mail.outbox[-1].body).group())
        self.page.locator(".auth-card button[type=submit]").click()
        if "login" in self.page.url:
            self.fill(login=EMAIL, password=PASSWORD)
            self.press("Log in")
        self.sees("Name your organization")

    def makes_an_integration(self) -> None:
        self.fill(name="Nordic Paper")
        self.page.locator("#id_time_zone").select_option("Europe/Helsinki")
        self.press("Create organization")
        self.shot("03-first-step")
        self.follow("Create the first integration")
        self.fill(name="Finland")
        self.press("Create and go on")

    def names_the_organization(self) -> None:
        self.fill(name="Nordic Paper")
        self.press("Create organization")

    def connects(self, system: str, button: str) -> None:
        self.follow(button)
        self.fill(**self.sandboxes.addresses[system])
        self.shot(f"04-connect-{system}")
        self.press("Save")
        self.sees("is saved. Press Ping systems")

    def pings(self) -> None:
        self.follow("Connections")
        self.press("Ping systems")
        expect(self.page.locator("#ping-sap_b1 li").first).to_be_visible(timeout=SOON)
        self.sees("Both systems answer and allow everything the flows need.")
        self.shot("05-ping")

    def sees_step(self, title: str, state: str) -> None:
        step = self.page.locator(".step", has=self.page.get_by_role("heading", name=title, exact=True))
        expect(step.locator(".step-head .status")).to_have_text(state, timeout=PATIENCE)

    def runs(self, flow: str) -> None:
        self.follow("Flows")
        self.shot("06-flows")
        self.press(f"Run now: {flow}")

    def sees_the_run_end(self, status: str) -> None:
        expect(self.page.locator("#run .status").first).to_have_text(status, timeout=SOON)


def test_from_sign_up_to_a_replayed_record(newcomer, complaints):
    newcomer.signs_up()
    newcomer.makes_an_integration()
    newcomer.connects("sap_b1", "Connect SAP Business One")
    newcomer.connects("basware", "Connect Basware P2P")
    newcomer.pings()

    newcomer.runs("Projects")
    newcomer.sees_the_run_end("Succeeded")
    newcomer.shot("07-run")

    record = one_that_basware_will_refuse(newcomer.sandboxes)
    newcomer.runs("Projects")
    newcomer.sees_the_run_end("Partly failed")

    newcomer.page.get_by_role("link", name="Renamed in SAP").click()
    newcomer.sees("The project is used elsewhere.")
    newcomer.shot("08-failed-record")
    newcomer.press("Replay")
    newcomer.sees("On its way again")
    expect(newcomer.page.locator(".page-head .status")).not_to_have_text("Failed")
    until_done(newcomer.page, record)
    newcomer.shot("09-replayed-record")

    newcomer.follow("Overview")
    newcomer.sees("Nothing needs you")
    newcomer.shot("10-overview")
    assert complaints == []


def one_that_basware_will_refuse(sandboxes: Sandboxes) -> Record:
    """Somebody renames a project in SAP, and Basware will not like it once."""
    world = World(Integration.objects.get(), sandboxes)
    record = world.records("projects")[0]
    world.change("Projects", record.key, Name="Renamed in SAP")
    world.outcome(record, "Error", message="The project is used elsewhere.", category="Technical")
    return record


def until_done(page: Page, record: Record) -> None:
    for _ in range(60):
        page.reload()
        if page.locator(".page-head .status").inner_text() == "Done":
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{record} did not get done")


@pytest.fixture
def house(site: str, quick: Any, tmp_path: Path) -> Iterator[None]:
    """The process beside the worker that runs the built-in sandboxes, in a thread; the network is closed as usual."""
    quick.SANDBOX, quick.SANDBOX_DIR = True, tmp_path
    quick.OUTBOUND_ALLOW, quick.OUTBOUND_ALLOW_HTTP = [], False
    house = House()

    def run() -> None:
        try:
            house.run()
        finally:
            connection.close()

    thread = threading.Thread(target=run, name="house")
    thread.start()
    yield
    house.stop()
    thread.join()


def test_from_sign_up_to_the_first_posted_sandbox_invoice(newcomer, house, complaints, capsys):
    began = time.monotonic()
    newcomer.signs_up()
    newcomer.names_the_organization()
    newcomer.shot("11-look-around")
    newcomer.press("Use the built-in sandbox")
    for title in ("Connect SAP Business One", "Connect Basware P2P"):
        newcomer.sees_step(title, "Done")
    newcomer.shot("12-start-connected")
    newcomer.press("Ping systems")
    newcomer.sees_step("Ping both systems", "Done")
    newcomer.press("Check the mapping")
    newcomer.sees_step("Check the mapping on real records", "Done")
    newcomer.shot("13-start-mapping")
    newcomer.press("Start the dry run")
    newcomer.sees_step("Dry run", "Done")
    newcomer.press("Choose")
    newcomer.sees_step("Choose schedules", "Done")
    newcomer.shot("14-start-schedule")
    newcomer.press("Go live")
    expect(newcomer.page.get_by_text("The first invoice is posted.")).to_be_visible(timeout=PATIENCE)
    seconds = time.monotonic() - began
    newcomer.shot("15-start-live")
    newcomer.page.set_viewport_size({"width": 360, "height": 740})
    newcomer.shot("16-start-live-phone")

    with capsys.disabled():
        print(f"\nFrom sign-up to the first posted sandbox invoice: {seconds:.1f} seconds")  # noqa: T201
    assert seconds < FIVE_MINUTES
    assert PostedDocument.objects.exists()
    newcomer.sees("Sandbox.")
    assert complaints == []
