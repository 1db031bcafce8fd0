"""The master data APIs and how they differ: path, wrapper key, limits, type (contracts: Basware §3.3, §3.5, §5)."""

from dataclasses import dataclass

from syncengine.sandbox.basware.schemas import master_data, orders, vendors
from syncengine.sandbox.basware.schemas.fields import Schema


@dataclass(frozen=True)
class MasterApi:
    """One kind of record that clients post. ``code_field`` is unique within a company; ``names_field`` holds texts."""

    name: str
    wrapper: str
    entity_type: str
    schema: Schema
    version: str = "v1"
    code_field: str | None = None
    names_field: str | None = None
    batch: int = 500
    page: int = 500
    largest_page: int = 500
    parent_parameter: str | None = None

    @property
    def path(self) -> str:
        base = f"/{self.version}/{self.name}"
        return f"{base}/{{listKey}}" if self.name == "lists" else base

    @property
    def entity_version(self) -> str:
        return f"{self.entity_type}{self.version.upper()}"

    def collection(self, list_key: str | None = None) -> str:
        """Generic lists are kept one by one, as their external codes are unique per list only."""
        return f"{self.name}/{list_key}" if list_key else self.name


LIST_KEYS = (
    *(f"ACC_LIST_{position}" for position in range(1, 36)),
    *(f"INV_LIST_{position}" for position in range(1, 21)),
    *(f"CUST_RESOLVER_{position}" for position in range(1, 6)),
)

MASTER_APIS = (
    MasterApi(
        "paymentTerms",
        "paymentTerms",
        "PaymentTerm",
        master_data.PAYMENT_TERM,
        code_field="paymentTermCode",
        names_field="paymentTermNames",
    ),
    MasterApi(
        "taxCodes", "taxCodes", "TaxCode", master_data.TAX_CODE, code_field="taxCode", names_field="taxCodeNames"
    ),
    MasterApi(
        "accounts", "accounts", "Account", master_data.ACCOUNT, code_field="accountCode", names_field="accountNames"
    ),
    MasterApi(
        "costCenters",
        "costCenters",
        "CostCenter",
        master_data.COST_CENTER,
        code_field="costCenterCode",
        names_field="costCenterNames",
    ),
    MasterApi("projects", "projects", "Project", master_data.PROJECT, version="v2", code_field="projectCode"),
    MasterApi("exchangeRates", "exchangeRates", "ExchangeRate", master_data.EXCHANGE_RATE),
    MasterApi("lists", "listItems", "GenericList", master_data.LIST_ITEM),
    MasterApi("vendors", "vendorEntities", "Vendor", vendors.VENDOR, code_field="vendorCode", batch=200, page=100),
    MasterApi("matchingOrders", "matchingOrders", "MatchingOrder", orders.ORDER),
    MasterApi(
        "matchingOrderLines",
        "matchingOrderLines",
        "MatchingOrderLine",
        orders.ORDER_LINE,
        batch=100,
        page=100,
        largest_page=100,
        parent_parameter="orderExternalCode",
    ),
)
BY_ENTITY_TYPE = {api.entity_type: api for api in MASTER_APIS}

ENTITY_TYPES = [
    "Account",
    "Contract",
    "CostCenter",
    "TaxCode",
    "ExchangeRate",
    "PaymentTerm",
    "User",
    "Project",
    "MatchingOrder",
    "MatchingOrderLine",
    "GenericList",
    "AdvancedPermission",
    "TransferResponse",
    "PaymentResponse",
    "PrebookResponse",
    "Vendor",
    "AdvancedValidation",
    "PurchaseRequisition",
    "PurchaseOrder",
    "PurchaseGoodsReceipt",
    "Organization",
    "EnrichmentTransferResponse",
    "UserGroup",
    "UserGroupAssociatedUser",
    "UserGroupPermission",
]
