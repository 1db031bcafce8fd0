"""The context that flows work in, put together from what the integration has set and what SAP says of the company."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from syncengine.connectors.sap_b1 import CompanyFacts, read_company_facts
from syncengine.engine import mappings
from syncengine.engine.connections import Systems
from syncengine.flows.base import Flow
from syncengine.flows.company import Delays, FlowContext
from syncengine.flows.settings import FlowSettings
from tenants.models import Connection, Integration, System

FACTS_SECONDS = 600
LASTING_SECONDS = 86400


def company_facts(integration: Integration, both: Systems) -> CompanyFacts:
    """What SAP says of the company, asked for again after ten minutes or when the connection was changed.

    What hardly ever changes is asked for once a day: with two calls a run that finds nothing new makes three in all.
    """
    connection = Connection.objects.without_secrets().get(integration=integration, system=System.SAP_B1)
    key = f"company-facts:{connection.pk}:{connection.updated_at.timestamp()}"
    facts: CompanyFacts | None = cache.get(key)
    if facts is None:
        lasting = f"{key}:lasting"
        facts = read_company_facts(both.sap, cache.get(lasting))
        cache.set(key, facts, FACTS_SECONDS)
        cache.add(lasting, facts, LASTING_SECONDS)  # never prolonged
    return facts


def flow_context(integration: Integration, flow: Flow, both: Systems) -> FlowContext:
    """Everything besides the source record that decides what a flow does."""
    chosen = FlowSettings(**integration.settings)
    return FlowContext(
        company=both.basware.settings.company_code,
        today=chosen.today(timezone.now()),
        facts=company_facts(integration, both),
        settings=chosen,
        cost_center_dimension=both.sap.settings.cost_center_dimension,
        lookups=mappings.current(integration, flow.name).lookups,
        delays=Delays(tuple(settings.LOOKUP_DELAYS), settings.REPOST_AFTER),
    )
