"""What flows are told of the company: asked of SAP once, and again when the connection was changed."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.utils import timezone

from syncengine.engine.connections import systems
from syncengine.engine.context import FACTS_SECONDS, LASTING_SECONDS, company_facts, flow_context
from syncengine.flows import registry
from tests.engine.world import World, connect
from tests.factories import NOON


def facts(world: World):
    with systems(world.integration) as both:
        return company_facts(world.integration, both)


def asked(world: World, path: str = "CompanyService_GetAdminInfo") -> int:
    return len(world.calls("sap_b1", path=path))


def test_the_company_s_facts_are_asked_for_once(world: World):
    world.quiet()
    assert facts(world) == facts(world)
    assert asked(world) == 1


def test_after_ten_minutes_what_may_have_changed_is_asked_for_again_with_two_calls(world: World):
    world.quiet()
    before = facts(world)
    calls = len(world.calls("sap_b1"))
    with time_machine.travel(timezone.now() + timedelta(seconds=FACTS_SECONDS + 1)):
        assert facts(world) == before
    assert len(world.calls("sap_b1")) == calls + 2
    assert (asked(world), asked(world, "Currencies")) == (2, 2)


def test_after_a_day_all_of_them_are_asked_for_again(world: World):
    world.quiet()
    began = timezone.now()
    for passed in (0, LASTING_SECONDS - FACTS_SECONDS, LASTING_SECONDS + 1):
        with time_machine.travel(began + timedelta(seconds=passed)):
            facts(world)
    assert (asked(world), asked(world, "CompanyService_GetCompanyInfo"), asked(world, "VatGroups")) == (3, 2, 2)


def test_a_changed_connection_is_asked_anew(world: World):
    world.quiet()
    facts(world)
    connect(world.integration, world.sandboxes)
    facts(world)
    assert asked(world) == 2


def test_flows_are_told_the_company_its_day_and_its_delays(world: World, settings):
    settings.LOOKUP_DELAYS, settings.REPOST_AFTER = [3, 7], 55
    with systems(world.integration) as both:
        found = facts(world)
        with time_machine.travel(NOON, tick=False):
            context = flow_context(world.integration, registry.get("invoices"), both)
        assert context.company == both.basware.settings.company_code
    assert context.today == NOON.date()
    assert context.facts == found
    assert (context.delays.lookups, context.delays.repost_after) == ((3, 7), 55)
