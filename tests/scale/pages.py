"""Every address of the site that answers a GET, each with as many objects and filters as one likes to ask for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.test import Client
from django.utils import timezone

from portal.sessions import cookie_of
from syncengine.flows import registry
from syncengine.models import Call, InboxNotification, Notice, Record, Run
from tenants.models import Integration, Organization, User
from tests import factories
from tests.scale.databases import OWNER_OF_ALL
from tests.security.world import MARK, addresses, one_of_everything

STAFF_EMAIL = "staff@example.com"
ANYBODY, OWNER, STAFF = "anybody", "owner", "staff"
NOT_TIMED = {
    "repair-choices": "asks SAP, whose time is not ours",
    "mapping-preview": "as above",
    "records-export": "a stream of all rows: see test_exports",
    "audit-export": "as above",
    "webauthn": "options for a passkey, as JSON",
}
NEEDS = {"portal:schedule-words": {"schedule": "0 2 * * *"}}
RECORD_FLOWS = ("invoices", "payments", "purchase_orders", "vendors", "gl_accounts")
STATUSES = ("done", "failed", "waiting", "ignored")


@dataclass(frozen=True)
class Page:
    """One page: `paths` show it with different objects, one after the other, to the first of `people` who sees it."""

    name: str
    paths: tuple[str, ...]
    people: tuple[str, ...] = (OWNER,)


@dataclass(frozen=True)
class Place:
    """What the addresses lead to in one database."""

    integration: Integration
    cookies: dict[str, str]
    values: list[dict[str, Any]]

    def pages(self) -> list[Page]:
        return [*self._of_the_resolver(), *self._lists(), *self._of_a_cause()]

    def _of_the_resolver(self) -> Iterator[Page]:
        for address in addresses():
            if any(part in address.name for part in NOT_TIMED):
                continue
            query = urlencode(NEEDS.get(address.name, {}))
            paths = tuple(dict.fromkeys(f"{address.path(values)}?{query}".removesuffix("?") for values in self.values))
            yield Page(address.name, paths, (STAFF,) if address.name.startswith("admin:") else (OWNER, ANYBODY))

    def _lists(self) -> Iterator[Page]:
        """Lists as people narrow them, and far from their newest end."""
        organization = f"/o/{self.integration.organization.slug}/"
        root = f"{organization}integrations/{self.integration.pk}/"
        for name, path, model in (
            ("records", f"{root}records/", Record),
            ("runs", f"{root}runs/", Run),
            ("webhook", f"{root}webhook/", InboxNotification),
        ):
            keys = model.objects.filter(integration=self.integration).order_by("pk").values_list("pk", flat=True)
            low, high = keys[0], keys.reverse()[0]
            places = [low + (high - low) * part // 8 for part in range(1, 8)]
            yield Page(f"{name}-deep", tuple(f"{path}?before={place}" for place in places))
        for status in STATUSES:
            yield Page(
                f"records-{status}", tuple(f"{root}records/?status={status}&flow={flow}" for flow in RECORD_FLOWS)
            )
        yield Page(
            "records-stage", tuple(f"{root}records/?stage={one}" for one in ("checked", "posted", "acknowledged"))
        )
        yield Page(
            "records-of-nothing", (f"{root}records/?status=failed&found_by=sweep", f"{root}records/?flow=tax_codes")
        )
        yield Page("records-of-code", (f"{root}records/?error_code=problems", f"{root}records/?error_code=never"))
        yield Page("records-of-run", tuple(f"{root}records/?run={one['run_id']}" for one in self.values))
        words = (
            "nordic",
            "oy",
            "a",
            "re",
            "steel gmbh",
            "nothing-at-all",
            "re-1",
            "v0000",
            "100,00",
            "nordic paper oy",
        )
        yield Page("records-search", tuple(f"{root}records/?{urlencode({'search': word})}" for word in words))
        yield Page("search-words", tuple(f"{organization}search/?{urlencode({'q': word})}" for word in words))
        yield Page(
            "suggestions", tuple(f"{organization}search/suggestions/?{urlencode({'q': word})}" for word in words)
        )
        yield Page("repairs-states", tuple(f"{root}repairs/?state={one}" for one in ("open", "retrying", "resolved")))
        yield Page("repairs-newest", (f"{root}repairs/?sort=newest", f"{root}repairs/?mine=1"))
        trail = ("action=record.failed", "action=integration", "actor=system", "actor=load", "actor=nobody",
                 "after_day=2026-01-01&before_day=2026-03-31", "action=never")  # fmt: skip
        yield Page("audit-filtered", tuple(f"{organization}audit/?{one}" for one in trail))
        yield Page("audit-of-record", tuple(f"{organization}audit/?record={one['record_id']}" for one in self.values))
        api = f"{organization}api/v1/"
        rows = f"{api}integrations/{self.integration.pk}/records/"
        narrow = ("status=failed", "flow=invoices&stage=paid", "search=nordic", "error_code=problems",
                  "updated_after=2026-05-04T00:00:00Z", "flow=never")  # fmt: skip
        yield Page("api-records-filtered", tuple(f"{rows}?{one}" for one in narrow))
        narrow = ("actor=system", "actor=nobody", "action=record.done", "action=never",
                  f"integration={self.integration.pk}", "before=2026-03-01T00:00:00Z",
                  f"record={self.values[0]['record_id']}")  # fmt: skip
        yield Page("api-audit-filtered", tuple(f"{api}audit/?{one}" for one in narrow))

    def _of_a_cause(self) -> Iterator[Page]:
        root = f"/o/{self.integration.organization.slug}/integrations/{self.integration.pk}/"
        failed = Record.objects.filter(integration=self.integration, status="failed")
        causes = list(dict.fromkeys(failed.order_by("-pk").values_list("flow", "cause")[:2000]))[:8]
        queries = [urlencode({"flow": flow, "cause": cause}) for flow, cause in causes]
        yield Page("portal:repair", tuple(f"{root}repairs/cause/?{query}" for query in queries))
        yield Page("portal:repair-progress", tuple(f"{root}repairs/cause/progress/?{query}" for query in queries))
        yield Page("records-of-cause", tuple(f"{root}records/?{urlencode({'cause': cause})}" for _, cause in causes))


def furnished(integration: Integration, variants: int) -> Place:
    """One of everything that the load does not make, and a choice of what it does."""
    _clear(integration.organization)
    _mend_one_today(integration)
    common = one_of_everything(integration.organization) | {"integration_id": integration.pk}
    owner = User.objects.get(email=OWNER_OF_ALL)
    staff = factories.UserFactory(email=STAFF_EMAIL, is_staff=True, is_superuser=True)
    cookies = {OWNER: _session(owner), STAFF: _session(staff), ANYBODY: ""}
    kinds = [(flow, status) for status in STATUSES for flow in RECORD_FLOWS]
    of_integration = {"integration": integration}
    runs = _spread(Run.objects.filter(**of_integration), variants)
    calls = _spread(Call.objects.filter(**of_integration), variants)
    notifications = _spread(InboxNotification.objects.filter(**of_integration), variants)
    notices = _spread(Notice.objects.filter(**of_integration), variants)
    values = []
    for place, (flow, status) in enumerate(islice(cycle(kinds), variants)):
        rows = Record.objects.filter(**of_integration, flow=flow, status=status).order_by("-pk")
        found = list(rows.values_list("pk", flat=True)[:5])
        values.append(common | {
            "record_id": found[place % len(found)],
            "run_id": runs[place],
            "call_id": calls[place],
            "notification_id": notifications[place],
            "notice_id": notices[place],
            "flow": list(registry.flows())[place % len(registry.flows())],
            "system": ("sap_b1", "basware")[place % 2],
        })  # fmt: skip
    return Place(integration, cookies, values)


def _clear(organization: Organization) -> None:
    """What was furnished in a database that is used again."""
    Integration.objects.of(organization).filter(name__startswith=MARK).delete()
    User.objects.filter(Q(email=STAFF_EMAIL) | Q(email__startswith=f"{MARK.lower()}@")).delete()


def _mend_one_today(integration: Integration) -> None:
    """A small load has none among those of the last days."""
    mended = Record.objects.filter(integration=integration, mended_at__isnull=False).order_by("-pk")
    Record.objects.filter(pk=mended[0].pk).update(mended_at=timezone.now())


def _spread(rows: Any, count: int) -> list[int]:
    keys = rows.order_by("pk").values_list("pk", flat=True)
    low, high = keys[0], keys.reverse()[0]
    return [keys.filter(pk__gte=low + (high - low) * place // count)[0] for place in range(count)]


def _session(user: User) -> str:
    """The cookie of somebody who has just shown who she is."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    return f"sessionid={cookie_of(session.session_key)}"
