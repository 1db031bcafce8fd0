"""Django admin for the site's staff: everything of the engine to look at, nothing to edit; failed records to replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django_q.models import Failure, OrmQ, Schedule, Success

from syncengine.connectors.outcomes import Outcome
from syncengine.engine.bulk_replays import replay_many
from syncengine.flows import registry
from syncengine.models import Attempt, AuditEvent, Call, InboxNotification, Record, RecordStatus, Run
from tenants.models import System

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin


# The queue's rows are pickles: reading one runs what is in it, and a schedule runs whatever function it names.
admin.site.unregister([model for model in (Failure, OrmQ, Schedule, Success) if admin.site.is_registered(model)])


class FirstRows(Paginator):  # type: ignore[type-arg]  # not generic when it runs
    """Pages through the first MOST rows: no table is counted to its end. Who looks for others narrows the list."""

    MOST = 2000

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return len(rows.values_list("pk", flat=True)[: self.MOST])


def among(name: str, values: Callable[[], Iterable[str]]) -> type[admin.SimpleListFilter]:
    """A filter by a column whose values are known: Django would read the whole table to find them."""

    class Among(admin.SimpleListFilter):
        title = parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in values()]

        def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
            return rows.filter(**{name: self.value()}) if self.value() else rows

    return Among


BY_FLOW = among("flow", registry.known)


class ReadOnlyAdmin(BaseAdmin):
    """Rows that only the engine writes: staff may look, page by page, without counting the table."""

    show_full_result_count = False
    paginator = FirstRows
    list_per_page = 50
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Record)
class RecordAdmin(ReadOnlyAdmin):
    """`replay_failed` runs the open step of the chosen failed records again."""

    list_display = ("flow", "key", "title", "status", "stage", "error_code", "integration", "updated_at")
    list_filter = ("status", "stage", BY_FLOW, "integration__organization")
    list_select_related = ("integration",)
    search_fields = ("=key", "title", "=reference")
    exclude = ("memo",)
    actions = ("replay_failed",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Record]:
        return super().get_queryset(request).defer("source", "target", "confirmed_target", "memo", "search")

    @admin.action(description="Replay the failed ones", permissions=["view"])
    def replay_failed(self, request: HttpRequest, records: QuerySet[Record]) -> None:
        count = replay_many(records.filter(status=RecordStatus.FAILED), request.user.get_username(), "Django admin")
        self.message_user(request, f"{count} failed records are on their way again.", messages.SUCCESS)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs with their counts."""

    list_display = ("pk", "flow", "mode", "status", "trigger", "integration", "read", "sent", "failed", "created_at")
    list_filter = ("status", "mode", BY_FLOW, "integration__organization")
    list_select_related = ("integration",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The trail; nobody can change it here."""

    list_display = ("created_at", "actor", "action", "message", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("=actor", "action")


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    """Calls as they were redacted at capture; headers are left out altogether."""

    list_display = ("started_at", "system", "method", "url", "status", "outcome", "duration_ms", "integration")
    list_filter = (among("system", lambda: System.values), among("outcome", lambda: Outcome))
    list_select_related = ("integration",)
    exclude = ("request_headers", "response_headers")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """What was about to be sent, and how it ended."""

    list_display = ("started_at", "flow", "kind", "state", "key", "request_id", "integration")
    list_filter = ("state", BY_FLOW)
    list_select_related = ("integration",)
    search_fields = ("=key", "=request_id")


@admin.register(InboxNotification)
class InboxNotificationAdmin(ReadOnlyAdmin):
    """Notifications from Basware."""

    list_display = ("received_at", "task_type", "document_id", "processed_at", "result", "integration")
    list_select_related = ("integration",)
    search_fields = ("=task_id", "=document_id")
