"""Where every address leads."""

from django.contrib import admin
from django.urls import include, path

from portal import account_pages, health, metrics, webhooks
from portal.api.urls import resources

urlpatterns = [
    path("healthz/", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("webhooks/basware/<str:webhook_id>/", webhooks.basware, name="basware-webhook"),
    path("webhooks/sap/<int:integration_id>/", webhooks.sap, name="sap-webhook"),
    path("api/v1/", include("portal.api.urls")),
    # The same API for a browser session of several organizations: the address names the one that is meant.
    path("o/<slug:slug>/api/v1/", include((resources, "api"), namespace="organization-api")),
    path("admin/", admin.site.urls),
    path("accounts/", include(account_pages)),
    path("accounts/", include("allauth.urls")),
    path("", include("portal.views.urls")),
]

handler400 = "portal.api.problems.bad_request"
handler404 = "portal.api.problems.not_found"
handler500 = "portal.api.problems.server_error"
