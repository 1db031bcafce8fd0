"""Django admin for the site's staff: everything of the engine to look at, nothing to edit; failed records to replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from syncengine.engine.bulk_replays import replay_many
from syncengine.models import Attempt, AuditEvent, Call, InboxNotification, Record, RecordStatus, Run

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin


# The queue's rows are pickles: reading one runs what is in it, and a schedule runs whatever function it names.
admin.site.unregister([model for model in (Failure, OrmQ, Schedule, Success) if admin.site.is_registered(model)])


class ReadOnlyAdmin(BaseAdmin):
    """Rows that only the engine writes: staff may look, page by page, without counting the table."""

    show_full_result_count = False
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
    list_filter = ("status", "stage", "flow", "integration__organization")
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
    list_filter = ("status", "mode", "flow", "integration__organization")
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
    list_filter = ("system", "outcome")
    list_select_related = ("integration",)
    exclude = ("request_headers", "response_headers")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """What was about to be sent, and how it ended."""

    list_display = ("started_at", "flow", "kind", "state", "key", "request_id", "integration")
    list_filter = ("state", "flow")
    list_select_related = ("integration",)
    search_fields = ("=key", "=request_id")


@admin.register(InboxNotification)
class InboxNotificationAdmin(ReadOnlyAdmin):
    """Notifications from Basware."""

    list_display = ("received_at", "task_type", "document_id", "processed_at", "result", "integration")
    list_select_related = ("integration",)
    search_fields = ("=task_id", "=document_id")
