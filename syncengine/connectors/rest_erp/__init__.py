"""A generic ERP with a small REST API, behind the same flows as SAP (docs/adding-a-connector.md)."""

from syncengine.connectors.rest_erp.client import RestErp
from syncengine.connectors.rest_erp.ping import checks
from syncengine.connectors.rest_erp.settings import RestErpSettings

__all__ = ["RestErp", "RestErpSettings", "checks"]
