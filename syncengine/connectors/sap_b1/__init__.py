"""A client of SAP Business One's Service Layer, v2 and v1, in pure Python (contracts: SAP).

client = SapB1(SapSettings("https://sap.example.com:50000/b1s/v2", "SBO_ACME", "user", "password"), transport)
for page in client.pages("BusinessPartners", key="CardCode", select=["CardName"]): ...
"""

from syncengine.connectors.sap_b1.answers import Created
from syncengine.connectors.sap_b1.client import SapB1, retry_conflict
from syncengine.connectors.sap_b1.company import CompanyFacts, Currency, read_company_facts
from syncengine.connectors.sap_b1.faults import SapFault, SapRejected, normalise
from syncengine.connectors.sap_b1.fields import check_document
from syncengine.connectors.sap_b1.literals import (
    all_of,
    date_literal,
    entity_path,
    equals,
    is_yes,
    parse_date,
    starts_with,
    text_literal,
)
from syncengine.connectors.sap_b1.ping import checks
from syncengine.connectors.sap_b1.session import MemorySessionStore, SapSession, SessionStore
from syncengine.connectors.sap_b1.settings import SapSettings, check_base_url

__all__ = [
    "CompanyFacts",
    "Created",
    "Currency",
    "MemorySessionStore",
    "SapB1",
    "SapFault",
    "SapRejected",
    "SapSession",
    "SapSettings",
    "SessionStore",
    "all_of",
    "check_base_url",
    "check_document",
    "checks",
    "date_literal",
    "entity_path",
    "equals",
    "is_yes",
    "normalise",
    "parse_date",
    "read_company_facts",
    "retry_conflict",
    "starts_with",
    "text_literal",
]
