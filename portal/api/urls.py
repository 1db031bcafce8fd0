"""The addresses of interface.md's table."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.api.schema import Docs, Schema
from portal.api.views import (
    audit,
    causes,
    configuration,
    hooks,
    integrations,
    mappings,
    people,
    plans,
    reconciliation,
    records,
    runs,
)

app_name = "api"

ONE = "integrations/<int:integration_id>/"

resources: list[URLPattern] = [
    path("integrations/", integrations.Integrations.as_view(), name="integrations"),
    path(ONE, integrations.IntegrationDetail.as_view(), name="integration"),
    path(f"{ONE}connections/<str:system>/", integrations.ConnectionDetail.as_view(), name="connection"),
    path(f"{ONE}ping/", integrations.Ping.as_view(), name="ping"),
    path(f"{ONE}webhook/", integrations.Webhook.as_view(), name="webhook"),
    path(f"{ONE}runs/", runs.Runs.as_view(), name="runs"),
    path(f"{ONE}records/", records.Records.as_view(), name="records"),
    path(f"{ONE}causes/", causes.Causes.as_view(), name="causes"),
    path(f"{ONE}replays/", records.BulkReplay.as_view(), name="replays"),
    path(f"{ONE}mappings/<str:flow>/", mappings.MappingDetail.as_view(), name="mapping"),
    path(f"{ONE}mappings/<str:flow>/preview/", mappings.MappingPreview.as_view(), name="mapping-preview"),
    path(f"{ONE}configuration/", configuration.Configuration.as_view(), name="configuration"),
    path(f"{ONE}reconciliation/", reconciliation.Reconciliation.as_view(), name="reconciliation"),
    path("runs/<int:run_id>/", runs.RunDetail.as_view(), name="run"),
    path("runs/<int:run_id>/plan/", plans.PlanDetail.as_view(), name="plan"),
    path("runs/<int:run_id>/plan/items/", plans.PlanItems.as_view(), name="plan-items"),
    path("runs/<int:run_id>/apply/", plans.ApplyPlan.as_view(), name="run-apply"),
    path("runs/<int:run_id>/cancel/", runs.CancelRun.as_view(), name="run-cancel"),
    path("runs/<int:run_id>/confirm-closings/", runs.ConfirmClosings.as_view(), name="run-confirm-closings"),
    path("records/<int:record_id>/", records.RecordDetail.as_view(), name="record"),
    path("records/<int:record_id>/replay/", records.ReplayRecord.as_view(), name="record-replay"),
    path("records/<int:record_id>/hold/", records.HoldRecord.as_view(), name="record-hold"),
    path("records/<int:record_id>/ignore/", records.IgnoreRecord.as_view(), name="record-ignore"),
    path("records/<int:record_id>/resend/", records.ResendRecord.as_view(), name="record-resend"),
    path("records/<int:record_id>/decide/", records.DecideRecord.as_view(), name="record-decide"),
    path("hooks/", hooks.Hooks.as_view(), name="hooks"),
    path("hooks/<int:hook_id>/", hooks.HookDetail.as_view(), name="hook"),
    path("hooks/<int:hook_id>/rotate/", hooks.RotateHook.as_view(), name="hook-rotate"),
    path("hooks/<int:hook_id>/test/", hooks.TestHook.as_view(), name="hook-test"),
    path("hooks/<int:hook_id>/deliveries/", hooks.HookDeliveries.as_view(), name="hook-deliveries"),
    path("hook-deliveries/<int:delivery_id>/", hooks.DeliveryDetail.as_view(), name="hook-delivery"),
    path("hook-deliveries/<int:delivery_id>/replay/", hooks.ReplayDelivery.as_view(), name="hook-delivery-replay"),
    path("audit/", audit.Audit.as_view(), name="audit"),
    path("audit/export/", audit.AuditExport.as_view(), name="audit-export"),
    path("members/", people.Members.as_view(), name="members"),
    path("members/invite/", people.Invite.as_view(), name="invite"),
    path("members/<int:member_id>/", people.MemberDetail.as_view(), name="member"),
    path("api-keys/", people.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<int:key_id>/", people.ApiKeyDetail.as_view(), name="api-key"),
]

urlpatterns = [
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", Docs.as_view(), name="docs"),
    *resources,
]
