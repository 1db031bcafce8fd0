"""Enum literals by type, and the database letters that SAP takes in their place."""

from __future__ import annotations

LITERALS = {
    "AssesseeTypeEnum": "atCompany atOthers",
    "AssetStatusEnum": "New Active Inactive",
    "AutomaticPostingEnum": "apNo apInterestAndFee apInterestOnly apFeeOnly",
    "BoAccountTypes": "at_Revenues at_Expenses at_Other",
    "BoAdEpnsDistribMethods": "aedm_None aedm_Quantity aedm_Volume aedm_Weight aedm_Equally aedm_RowTotal",
    "BoAdEpnsTaxTypes": "aext_NormalTax aext_NoTax aext_UseTax",
    "BoAddressType": "bo_ShipTo bo_BillTo",
    "BoAeDistMthd": "aed_Equally aed_LineTotal aed_None aed_Quantity aed_Volume aed_Weight",
    "BoApprovalRequestDecisionEnum": "ardPending ardApproved ardNotApproved",
    "BoApprovalRequestStatusEnum": """
arsPending arsApproved arsNotApproved arsGenerated arsGeneratedByAuthorizer arsCancelled
""",
    "BoBaselineDate": "bld_PostingDate bld_SystemDate bld_TaxDate bld_ClosingDate",
    "BoBoeStatus": "boes_Created boes_Sent boes_Deposited boes_Paid boes_Cancelled boes_Closed boes_Failed",
    "BoBusinessPartnerGroupTypes": "bbpgt_CustomerGroup bbpgt_VendorGroup",
    "BoCardCompanyTypes": "cCompany cPrivate cGovernment cEmployee",
    "BoCardTypes": "cCustomer cSupplier cLid",
    "BoCorInvItemStatus": "ciis_Was ciis_ShouldBe",
    "BoDocItemType": "dit_Item dit_Resource",
    "BoDocLineType": "dlt_Regular dlt_Alternative dlt_Resource",
    "BoDocSummaryTypes": "dNoSummary dByItems dByDocuments",
    "BoDocWhsUpdateTypes": "dwh_No dwh_OrdersFromVendors dwh_CustomerOrders dwh_Consignment dwh_Stock",
    "BoDocumentLinePickStatus": "dlps_Picked dlps_NotPicked dlps_ReleasedForPicking dlps_PartiallyPicked",
    "BoDocumentSubType": """
bod_None bod_InvoiceExempt bod_DebitMemo bod_Bill bod_ExemptBill bod_PurchaseDebitMemo bod_ExportInvoice
bod_GSTTaxInvoice bod_GSTDebitMemo bod_RefundVoucher
""",
    "BoDocumentTypes": "dDocument_Items dDocument_Service",
    "BoExpenseOperationTypeEnum": """
bo_ExpOpType_ProfessionalServices bo_ExpOpType_RentingAssets bo_ExpOpType_Others bo_ExpOpType_None
""",
    "BoFatherCardTypes": "cPayments_sum cDelivery_sum",
    "BoGLMethods": "glm_WH glm_ItemClass glm_ItemLevel",
    "BoGSTRegnTypeEnum": """
invalid gstRegularTDSISD gstCasualTaxablePerson gstCompositionLevy gstGoverDepartPSU
gstNonResidentTaxablePerson gstUNAgencyEmbassy
""",
    "BoGenderTypes": "gt_Female gt_Male gt_Undefined gt_Masked gt_Invalid",
    "BoInterimDocTypes": "boidt_None boidt_ExchangeRate boidt_CashDiscount",
    "BoInventorySystem": "bis_MovingAverage bis_Standard bis_FIFO bis_SNB",
    "BoIssueMethod": "im_Backflush im_Manual",
    "BoItemTreeTypes": "iNotATree iAssemblyTree iSalesTree iProductionTree iTemplateTree iIngredient",
    "BoMRPComponentWarehouse": "bomcw_BOM bomcw_Parent",
    "BoMYFTypeEnum": """
myft_WholesaleSales myft_RetailSales myft_WholesalePurchases myft_OtherExpenseTransactions
""",
    "BoManageMethod": "bomm_OnEveryTransaction bomm_OnReleaseOnly",
    "BoMaterialTypes": """
mt_GoodsForReseller mt_FinishedGoods mt_GoodsInProcess mt_RawMaterial mt_Package mt_SubProduct
mt_IntermediateMaterial mt_ConsumerMaterial mt_FixedAsset mt_Service mt_OtherInput mt_Other
""",
    "BoORCTPaymentTypeEnum": "bopt_None bopt_Electronic bopt_Post bopt_Telegraph bopt_Express",
    "BoObjectTypes": """
oInvoices oCreditNotes oOrders oPurchaseInvoices oPurchaseCreditNotes oPurchaseDeliveryNotes oPurchaseReturns
oPurchaseOrders oIncomingPayments oJournalEntries oVendorPayments oDrafts oPurchaseDownPayments
""",
    "BoOpenIncPayment": "oip_No oip_Cash oip_Checks oip_Credit oip_BankTransfer",
    "BoPayTermDueTypes": "pdt_MonthEnd pdt_HalfMonth pdt_MonthStart pdt_None",
    "BoPaymentPriorities": """
bopp_Priority_1 bopp_Priority_2 bopp_Priority_3 bopp_Priority_4 bopp_Priority_5 bopp_Priority_6
""",
    "BoPaymentsObjectType": "bopot_IncomingPayments bopot_OutgoingPayments",
    "BoPlanningSystem": "bop_MRP bop_None",
    "BoProcurementMethod": "bom_Buy bom_Make",
    "BoRcptCredTypes": "cr_Regular cr_Telephone cr_InternetTransaction",
    "BoRcptInvTypes": """
it_AllTransactions it_OpeningBalance it_ClosingBalance it_Invoice it_CredItnote it_TaxInvoice it_Return
it_PurchaseInvoice it_PurchaseCreditNote it_PurchaseDeliveryNote it_PurchaseReturn it_Receipt it_Deposit
it_JournalEntry it_PaymentAdvice it_ChequesForPayment it_StockReconciliations it_GeneralReceiptToStock
it_GeneralReleaseFromStock it_TransferBetweenWarehouses it_WorkInstructions it_DeferredDeposit
it_CorrectionInvoice it_APCorrectionInvoice it_ARCorrectionInvoice it_DownPayment it_PurchaseDownPayment
""",
    "BoRcptTypes": "rCustomer rAccount rSupplier",
    "BoSoStatus": "so_Open so_Closed",
    "BoStatus": "bost_Open bost_Close bost_Paid bost_Delivered",
    "BoTaxOnInstallmentsTypeEnum": "toiProportionally toiTaxInFirst toiTaxInFirstOnly",
    "BoTaxRoundingRuleTypes": "trr_RoundDown trr_RoundUp trr_RoundOff trr_CompanyDefault",
    "BoTaxTypes": "tt_Yes tt_No tt_UseTax tt_OffsetTax",
    "BoTransactionTypeEnum": "botrntComplete botrntReject",
    "BoVatCategoryEnum": "bovcInputTax bovcOutputTax",
    "BoVatStatus": "vExempted vLiable vEC",
    "CancelStatusEnum": "csYes csNo csCancellation",
    "ClosingOptionEnum": "coByCurrentSystemDate coByOriginalDocumentDate coBySpecifiedDate",
    "CommissionTradeTypeEnum": "ct_Empty ct_SalesAgent ct_PurchaseAgent ct_Consignor",
    "CurrenciesDecimalsEnum": """
cd1Digit cd2Digits cd3Digits cd4Digits cd5Digits cd6Digits cdDefault cdWithoutDecimals
""",
    "DiscountGroupBaseObjectEnum": "dgboNone dgboItemGroups dgboItemProperties dgboManufacturer dgboItems",
    "DiscountGroupRelationsEnum": """
dgrLowestDiscount dgrHighestDiscount dgrAverageDiscount dgrDiscountTotals dgrMultipliedDiscount
""",
    "DocumentAuthorizationStatusEnum": """
dasWithout dasPending dasApproved dasRejected dasGenerated dasGeneratedbyAuthorizer dasCancelled
""",
    "DocumentDeliveryTypeEnum": "ddtNoneSeleted ddtCreateOnlineDocument ddtPostToAribaNetwork",
    "DocumentPriceSourceEnum": """
dpsSpecialPricesForBusinessPartner dpsManual dpsActivePriceListDiscountGroups dpsActivePriceList
dpsInactivePriceList dpsBlanketAgreement dpsPeriodAndVolumeDiscounts dpsPeriodAndVolumeDiscountsDiscountGroups
dpsInactivePriceListDiscountGroups dpsNewSpecialPricesForBusinessPartner dpsNewActivePriceListDiscountGroups
dpsNewActivePriceList dpsNewInactivePriceList dpsNewBlanketAgreement dpsNewPeriodAndVolumeDiscounts
dpsNewPeriodAndVolumeDiscountsDiscountGroups dpsNewInactivePriceListDiscountGroups
""",
    "DownPaymentTypeEnum": "dptRequest dptInvoice",
    "DrawingMethodEnum": "dmAll dmNone dmQuantity dmTotal",
    "EDocGenerationTypeEnum": "edocGenerate edocGenerateLater edocNotRelevant",
    "EDocStatusEnum": "edoc_New edoc_Pending edoc_Sent edoc_Error edoc_Ok",
    "EDocTypeEnum": "edocFE edocFCE",
    "EffectivePriceEnum": "epDefaultPriority epLowestPrice epHighestPrice",
    "ElecCommStatusEnum": "ecsApproved ecsPendingApproval ecsRejected",
    "ExemptionMaxAmountValidationTypeEnum": "emaIndividual emaAccumulated",
    "FolioLetterEnum": "fLetterA fLetterB fLetterC fLetterE fLetterM fLetterR fLetterT fLetterX fLetterEMPTY",
    "FreightTypeEnum": "ftShipping ftInsurance ftOther ftSpecial",
    "GSTTaxCategoryEnum": "gtc_Regular gtc_NilRated gtc_Exempt",
    "GSTTransactionTypeEnum": "gsttrantyp_BillOfSupply gsttrantyp_GSTTaxInvoice gsttrantyp_GSTDebitMemo",
    "IssuePrimarilyByEnum": "ipbSerialAndBatchNumbers ipbBinLocations",
    "ItemClassEnum": "itcService itcMaterial",
    "ItemTypeEnum": "itItems itLabor itTravel itFixedAssets",
    "LinkReferenceTypeEnum": """
lrt_00 lrt_01 lrt_02 lrt_03 lrt_04 lrt_05 lrt_06 lrt_07 lrt_08 lrt_MX_08 lrt_MX_09
""",
    "OperationCode347Enum": """
ocGoodsOrServiciesAcquisitions ocPublicEntitiesAcquisitions ocTravelAgenciesPurchases
ocSalesOrServicesRevenues ocPublicSubsidies ocTravelAgenciesSales
""",
    "PaymentMeansTypeEnum": "pmtNotAssigned pmtChecks pmtBankTransfer pmtCash pmtCreditCard",
    "PaymentsAuthorizationStatusEnum": """
pasWithout pasPending pasApproved pasRejected pasGenerated pasGeneratedbyAuthorizer pasCancelled
""",
    "PriceModeDocumentEnum": "pmdNet pmdGross pmdNetAndGross",
    "PriceModeEnum": "pmNet pmGross",
    "PrintStatusEnum": "psNo psYes psAmended",
    "ReferencedObjectTypeEnum": """
rot_ExternalDocument rot_SalesQuotation rot_SalesOrder rot_DeliveryNotes rot_ReturnRequest rot_Return
rot_DownPaymentIncoming rot_SalesInvoice rot_SalesCreditNote rot_CorrectionSalesInvoice rot_SalesTaxInvoice
rot_PurchaseQuotation rot_PurchaseOrder rot_GoodsReceiptPO rot_GoodsReturnRequest rot_GoodsReturn
rot_DownPaymentOutgoing rot_PurchaseInvoice rot_PurchaseCreditNote rot_CorrectionPurchaseInvoice
rot_PurchaseTaxInvoice rot_LandedCosts rot_IncomingPayments rot_JournalEntry rot_ProductionOrder
rot_InternalReconciliation rot_OriginalInvoice rot_OriginalARDownPayment rot_PurchaseRequest rot_GoodsReceipt
rot_GoodsIssue rot_InventoryTransferRequest rot_InventoryTransfer rot_ChecksforPayment rot_MaterialRevaluation
rot_InventoryCounting rot_InventoryPosting rot_OutgoingPayments
""",
    "Report349CodeListEnum": "r349cA r349cE r349cEmpty r349cH r349cI r349cM r349cS r349cT",
    "ResidenceNumberTypeEnum": """
rntSpanishFiscalID rntVATRegistrationNumber rntPassport rntFiscalIDIssuedbytheResidenceCountry
rntCertificateofFiscalResidence rntOtherDocument
""",
    "ReturnTypeEnum": "rt26Q rt27Q rt27EQ",
    "RoundingSysEnum": "rsNoRounding rsRoundToFiveHundredth rsRoundToOne rsRoundToTen rsRoundToTenHundredth",
    "RoundingTypeEnum": "rt_TruncatedAU rt_CommercialValues rt_NoRounding",
    "SAFTProductTypeEnum": "saftpt_Products saftpt_Services saftpt_Other saftpt_Taxes saftpt_NonSystem",
    "SAFTTaxCodeEnum": """
safttc_ReducedTax safttc_MiddleTax safttc_NormalTax safttc_Exempt safttt_Others safttc_NonSystem
""",
    "SEPASequenceTypeEnum": "sstOOFF sstFRST sstRCUR sstFNAL",
    "SOIExcisableTypeEnum": "se_Excisable se_Exemption se_PaidToOther se_NotExcisable",
    "SPEDContabilAccountPurposeCode": """
spedContasDeAtivo spedContasDePassivo spedPatrimonioLiquido spedContasDeResultado spedContasDeCompensacao
spedOutras
""",
    "ShaamGroupEnum": """
sgServicesAndAsset sgAgriculturalProducts sgInsuranceCommissions sgWHTaxInstructions
sgInterestExchangeRateDiffs sgRentalFees
""",
    "SpecialProductTypeEnum": "sptMT sptIO",
    "TaxTypeBlackListEnum": "ttblExcluded ttblExempt ttblNonSubject ttblNotTaxable ttblTaxable",
    "TdsTypeEnum": "wtETds wtGstTds wtGstTcs wtTcs",
    "TypeOfAdvancedRulesEnum": "toarGeneral toarWarehouse toarItemGroup",
    "TypeOfOperationEnum": "tooProfessionalServices tooRentingAssets tooOthers",
    "VatGroupsTaxRegionEnum": "vgtrPT vgtrPT_AC vgtrPT_MA",
    "WithholdingTaxCodeBaseTypeEnum": "wtcbt_Gross wtcbt_Net wtcbt_VAT wtcbt_Gross_VAT wtcbt_UoM",
    "WithholdingTaxCodeCategoryEnum": "wtcc_Invoice wtcc_Payment",
    "WithholdingTypeEnum": "wt_VatWithholding wt_IncomeTaxWithholding",
}
LETTERS = {
    "BoYesNoEnum": {"Y": "tYES", "N": "tNO"},
    "BoCardTypes": {"C": "cCustomer", "S": "cSupplier", "L": "cLid"},
    "BoDocumentTypes": {"I": "dDocument_Items", "S": "dDocument_Service"},
    "BoStatus": {"O": "bost_Open", "C": "bost_Close"},
    "CancelStatusEnum": {"Y": "csYes", "N": "csNo", "C": "csCancellation"},
    "BoRcptTypes": {"C": "rCustomer", "S": "rSupplier", "A": "rAccount"},
    "BoVatCategoryEnum": {"I": "bovcInputTax", "O": "bovcOutputTax"},
}
