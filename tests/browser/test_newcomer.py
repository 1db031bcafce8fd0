"""The newcomer's path: sign up, connect, ping, run, look at a record, replay what failed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from syncengine.models import Record
from syncengine.sandbox.launch import Sandboxes
from tenants.models import Integration
from tests.engine.world import World
from tests.factories import PASSWORD

EMAIL = "anna@nordic-paper.example.com"
SOON = 15_000


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
        self.page.locator("main button[type=submit]").click()
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

    def connects(self, system: str, button: str) -> None:
        self.follow(button)
        self.fill(**self.sandboxes.addresses[system])
        self.shot(f"04-connect-{system}")
        self.press("Save")
        self.sees("is saved. Press Ping systems")

    def pings(self) -> None:
        self.press("Ping systems")
        expect(self.page.locator("#ping-sap_b1 li").first).to_be_visible(timeout=SOON)
        self.sees("Both systems answer and allow everything the flows need.")
        self.shot("05-ping")

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
    newcomer.sees("On its way again with today's mapping.")
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
