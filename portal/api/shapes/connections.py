"""Connections, as the schema describes them; tenants.connections checks and shows them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from portal.api.shapes.common import Shape


class SecretShape(Shape):
    """All that is ever told of a secret."""

    set = serializers.BooleanField()
    changed_at = serializers.DateTimeField(allow_null=True)


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object"}], "nullable": True})
class SecretInput(serializers.Field[Any, Any, Any, Any]):
    """The secret's text; left out, or as it was read back, the stored one stays."""


class SapB1Fields(Shape):
    """contracts: SAP §2."""

    base_url = serializers.CharField(help_text="the whole service root, e.g. https://sap.example.com:50000/b1s/v2")
    company_db = serializers.CharField()
    auth = serializers.ChoiceField(choices=["password", "oauth"], required=False, help_text="default: password")
    username = serializers.CharField(required=False, help_text="where `auth` is password")
    client_id = serializers.CharField(required=False, help_text="where `auth` is oauth")
    token_url = serializers.CharField(required=False, help_text="where `auth` is oauth: the token service's address")
    scopes = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    ca_certificate = serializers.CharField(required=False, allow_null=True, help_text="PEM")
    user_defined_id_field = serializers.CharField(required=False, allow_null=True, help_text="with its U_")
    tax_field = serializers.ChoiceField(choices=["VatGroup", "TaxCode", "auto"], required=False)
    cost_center_dimension = serializers.IntegerField(min_value=1, max_value=5, required=False)


class SapB1Shown(SapB1Fields):
    """A connection to SAP as it is read back."""

    system = serializers.CharField()
    password = SecretShape(required=False)
    client_secret = SecretShape(required=False)


class SapB1Sent(SapB1Fields):
    """A connection to SAP as it is saved."""

    password = SecretInput(required=False)
    client_secret = SecretInput(required=False)


class RestErpFields(Shape):
    """A REST ERP in SAP's place, under the name `sap_b1`."""

    erp = serializers.ChoiceField(choices=["rest"])
    base_url = serializers.CharField(help_text="what stands before /v1")
    company = serializers.CharField()


class RestErpShown(RestErpFields):
    """A connection to a REST ERP as it is read back."""

    system = serializers.CharField()
    api_key = SecretShape()


class RestErpSent(RestErpFields):
    """A connection to a REST ERP as it is saved."""

    api_key = SecretInput(required=False)


class BaswareFields(Shape):
    """contracts: Basware §1, §2."""

    base_url = serializers.CharField(help_text="without a path, e.g. https://api.basware.com")
    client_id = serializers.CharField()
    company_code = serializers.CharField()
    token_url = serializers.CharField(required=False, allow_null=True, help_text="default: base_url + /v1/tokens")
    scopes = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)


class BaswareShown(BaswareFields):
    """A connection to Basware as it is read back."""

    system = serializers.CharField()
    client_secret = SecretShape()


class BaswareSent(BaswareFields):
    """A connection to Basware as it is saved."""

    client_secret = SecretInput(required=False)


SHOWN = PolymorphicProxySerializer(
    component_name="Connection", serializers=[SapB1Shown, RestErpShown, BaswareShown], resource_type_field_name=None
)
SENT = PolymorphicProxySerializer(
    component_name="ConnectionSent", serializers=[SapB1Sent, RestErpSent, BaswareSent], resource_type_field_name=None
)


class CheckShape(Shape):
    """One thing that was tried."""

    name = serializers.CharField()
    ok = serializers.BooleanField()
    latency_ms = serializers.IntegerField()
    detail = serializers.CharField()
    hint = serializers.CharField()


class SystemPingShape(Shape):
    """How one system answered."""

    system = serializers.CharField()
    ok = serializers.BooleanField()
    latency_ms = serializers.IntegerField()
    checks = CheckShape(many=True)


class PingShape(Shape):
    """Both systems, always."""

    ok = serializers.BooleanField()
    systems = SystemPingShape(many=True)


class SubscribedShape(Shape):
    """`confirmed`: the ConnectionTest has arrived here."""

    subscribed = serializers.BooleanField()
    confirmed = serializers.BooleanField()
