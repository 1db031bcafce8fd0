"""Addresses of the pages; those of an organization all lie under /o/{slug}/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from portal.views import (
    api_keys,
    audit,
    connections,
    dashboard,
    flows,
    home,
    integrations,
    mappings,
    members,
    notices,
    reconciliation,
    record,
    records,
    runs,
    webhook,
)

app_name = "portal"

integration_urls: list[URLPattern | URLResolver] = [
    path("", dashboard.dashboard, name="dashboard"),
    path("live/", dashboard.live, name="dashboard-live"),
    path("figures/", dashboard.figures, name="dashboard-figures"),
    path("settings/", integrations.settings, name="settings"),
    path("enable/", integrations.enable, name="integration-enable"),
    path("connections/", connections.connections, name="connections"),
    path("connections/<slug:system>/", connections.connection, name="connection"),
    path("ping/", connections.ping, name="ping"),
    path("webhook/", webhook.webhook, name="webhook"),
    path("webhook/<int:notification_id>/look-again/", webhook.look_again, name="webhook-look-again"),
    path("flows/", flows.flows, name="flows"),
    path("flows/<slug:flow>/", flows.flow, name="flow"),
    path("flows/<slug:flow>/toggle/", flows.toggle, name="flow-toggle"),
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", flows.start, name="run-start"),
    path("records/", records.records, name="records"),
    path("reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("replays/", records.replay_many, name="replay-many"),
    path("mappings/<slug:flow>/", mappings.mapping, name="mapping"),
    path("mappings/<slug:flow>/preview/", mappings.preview, name="mapping-preview"),
    path("mappings/<slug:flow>/waiting/", mappings.waiting, name="mapping-waiting"),
    path("mappings/<slug:flow>/cases/<int:case>/remove/", mappings.remove_case, name="mapping-case-remove"),
]

organization_urls: list[URLPattern | URLResolver] = [
    path("", home.organization, name="organization"),
    path("integrations/new/", integrations.create, name="integration-create"),
    path("integrations/<int:integration_id>/", include(integration_urls)),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/progress/", runs.progress, name="run-progress"),
    path("runs/<int:run_id>/cancel/", runs.cancel, name="run-cancel"),
    path("runs/<int:run_id>/confirm-closings/", runs.confirm_closings, name="run-confirm-closings"),
    path("records/<int:record_id>/", record.record, name="record"),
    path("records/<int:record_id>/replay/", record.replay, name="record-replay"),
    path("records/<int:record_id>/try/", record.try_replay, name="record-try"),
    path("records/<int:record_id>/hold/", record.hold, name="record-hold"),
    path("records/<int:record_id>/resend/", record.resend, name="record-resend"),
    path("records/<int:record_id>/ignore/", record.ignore, name="record-ignore"),
    path("records/<int:record_id>/decide/", record.decide, name="record-decide"),
    path("calls/<int:call_id>/", record.call, name="call"),
    path("schedule-words/", flows.schedule_words, name="schedule-words"),
    path("audit/", audit.audit, name="audit"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.read_all, name="notices-read"),
    path("notices/<int:notice_id>/read/", notices.read, name="notice-read"),
    path("notices/settings/", notices.settings, name="notice-settings"),
    path("notices/slack/", notices.slack, name="notice-slack"),
    path("notices/slack/test/", notices.slack_test, name="notice-slack-test"),
    path("notices/slack/remove/", notices.slack_remove, name="notice-slack-remove"),
    path("members/", members.members, name="members"),
    path("members/invite/", members.invite, name="member-invite"),
    path("members/<int:membership_id>/role/", members.change_role, name="member-role"),
    path("members/<int:membership_id>/remove/", members.remove, name="member-remove"),
    path("api-keys/", api_keys.api_keys, name="api-keys"),
    path("api-keys/<int:key_id>/revoke/", api_keys.revoke, name="api-key-revoke"),
]

urlpatterns = [
    path("", home.landing, name="landing"),
    path("organizations/", home.organizations, name="organizations"),
    path("organizations/new/", home.organization_create, name="organization-create"),
    path("invitations/<str:token>/", members.invitation, name="invitation"),
    path("o/<slug:slug>/", include(organization_urls)),
]
