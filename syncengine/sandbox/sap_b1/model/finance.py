"""The ledger and payments.

Field tables in the form that `model/__init__.py` reads: kind, then the names.
"""

from __future__ import annotations

TABLES = {
    "ChartOfAccount": """
s Code Name DataExportCode FatherAccountKey ExternalCode AcctCurrency ForeignName Details ProjectCode FormatCode
s DefaultVatGroup TransactionCode LoadingFactorCode LoadingFactorCode2 LoadingFactorCode3 LoadingFactorCode4
s LoadingFactorCode5 PlanningLevel DatevAccount BPLName VATRegNum ReferentialAccountCode ValidRemarks
s FrozenRemarks PrimaryClosingAccount CostElementCode StandardAccountCode TaxonomyCode OfficialAccountCode
i AccountLevel ExternalReconNo InternalReconNo Category BPLID IncomeClassificationCategory
i IncomeClassificationType ExpenseClassificationCategory ExpenseClassificationType
n Balance Balance_syscurr Balance_FrgnCurr
d ValidFrom ValidTo FrozenFrom FrozenTo
y CashAccount BudgetAccount ActiveAccount PrimaryAccount RateConversion TaxLiableAccount TaxExemptAccount
y Protected ReconciledAccount LiableForAdvances RevaluationCoordinated LockManualTransaction AllowChangeVatGroup
y LoadingType DatevAutoAccount DatevFirstDataEntry AllowMultipleLinking ProjectRelevant DistributionRuleRelevant
y DistributionRule2Relevant DistributionRule3Relevant DistributionRule4Relevant DistributionRule5Relevant
y ValidFor FrozenFor BlockManualPosting CashFlowRelevant PCN874ReportRelevant CostAccountingOnly
y CostElementRelevant
BoAccountTypes AccountType
SPEDContabilAccountPurposeCode AccountPurposeCode
""",
    "ProfitCenter": """
s CenterCode CenterName GroupCode CostCenterType
i InWhichDimension CenterOwner
d EffectiveFrom EffectiveTo
y Active
""",
    "DistributionRule": """
s FactorCode FactorDescription Direct
i InWhichDimension
n TotalFactor
y Active IsFixedAmount
DistributionRuleLine[] DistributionRuleLines
""",
    "DistributionRuleLine": """
s CenterCode
n TotalInCenter
d EffectiveFrom EffectiveTo
""",
    "Dimension": """
s DimensionName DimensionDescription
i DimensionCode
y IsActive
""",
    "Project": """
s Code Name
d ValidFrom ValidTo
y Active
""",
    "PaymentTermsType": """
s PaymentTermsGroupName DiscountCode DunningCode
i GroupNumber NumberOfAdditionalMonths NumberOfAdditionalDays PriceListNo NumberOfInstallments
i NumberOfToleranceDays
n CreditLimit GeneralDiscount InterestOnArrears LoadLimit
BoBaselineDate BaselineDate
BoOpenIncPayment OpenReceipt
BoPayTermDueTypes StartFrom EndAt
""",
    "VatGroup": """
s Code Name TaxAccount TriangularDeal AcquisitionTax GoodsShipment NonDeductAcc DeferredTaxAcc VatCorrection
s EqualizationTaxAccount ServiceSupply VATInRevenueAccount DownPaymentTaxOffsetAccount CashDiscountAccount
s VATDeductibleAccount AcquisitionReverseCorrespondingTaxCode TaxExemptionReason SAFTTaxCodeEx
i EBooksVatCategory EBooksVatExemptionCause EBooksVatExpClassType EBooksVatExpClassCategory
n NonDeduct
y EU AcquisitionReverse Correction Inactive
BoVatCategoryEnum Category
Report349CodeListEnum Report349Code
SAFTTaxCodeEnum SAFTTaxCode
TaxTypeBlackListEnum TaxTypeBlackList
VatGroupsTaxRegionEnum TaxRegion
VatGroups_Line[] VatGroups_Lines
""",
    "VatGroups_Line": """
i DatevCode
n Rate EqualizationTax
d Effectivefrom
""",
    "SalesTaxCode": """
s Code Name
i UserSignature
n Rate
y ValidForAR ValidForAP Freight IsItemLevel Inactive FADebit
Any[] SalesTaxCodes_Lines
""",
    "WithholdingTaxCode": """
s WTCode WTName OfficialCode Account APTDSAccount APSurchargeAccount APCessAccount APHSCAccount APIGSTAccount
s APCGSTAccount APSGSTAccount APUTGSTAccount APCessGSTAccount ARTDSAccount ARSurchargeAccount ARCessAccount
s ARHSCAccount ARIGSTAccount ARCGSTAccount ARSGSTAccount ARUTGSTAccount ARCessGSTAccount ARTCSInterimAccount
s ARSurchargeInterimAccount ARCessInterimAccount ARHSCInterimAccount APTCSInterimAccount
s APSurchargeInterimAccount APCessInterimAccount APHSCInterimAccount NatureOfCalculationBaseCode Currency
i Section Assessee Location CSTCodeIncomingID CSTCodeOutgoingID TypeID EBooksWTaxCategory
n BaseAmount Threshold Surcharge Rate MinimumTaxableAmount TransactonThreshold
d EffectiveFrom
y Concessional Inactive IsProgressiveTax NonDeductThreshold UseInAPDPR
ReturnTypeEnum ReturnType
RoundingTypeEnum RoundingType
TdsTypeEnum TdsType
WithholdingTaxCodeBaseTypeEnum BaseType
WithholdingTaxCodeCategoryEnum Category
WithholdingTaxCodes_Line[] WithholdingTaxCodes_Lines
WithholdingTypeEnum WithholdingType
""",
    "WithholdingTaxCodes_Line": """
s UoMCode Currency
i LineNum UoMEntry
n Rate TDSRate SurchargeRate CessRate HSCRate IGSTRate CGSTRate SGSTRate UTGSTRate CessGSTRate FixedAmount
n ITRNonCompliantRate PANNonCompliantRate
d Effectivefrom
Any[] ProgressiveTax_Lines WithholdingTaxCodes_ValueRange_Lines
""",
    "AdditionalExpense": """
s Name RevenuesAccount ExpenseAccount OutputVATGroup InputVATGroup FreightOffsetAccount WTLiable
s ExpenseExemptedAccount RevenuesExemptedAccount DistributionRule Project DistributionRule2 DistributionRule3
s DistributionRule4 DistributionRule5 SAFTProductTypeEx
i ExpensCode DataVersion
n FixedAmountRevenues FixedAmountExpenses
y TaxLiable Includein1099 Stock LastPurchasePrice
BoAeDistMthd DistributionMethod
DrawingMethodEnum DrawingMethod
FreightTypeEnum FreightType
SAFTProductTypeEnum SAFTProductType
""",
    "Currency": """
s Code Name DocumentsCode InternationalDescription HundredthName EnglishName EnglishHundredthName
s PluralInternationalDescription PluralHundredthName PluralEnglishName PluralEnglishHundredthName
n MaxIncomingAmtDiff MaxOutgoingAmtDiff MaxIncomingAmtDiffPercent MaxOutgoingAmtDiffPercent
y RoundingInPayment
CurrenciesDecimalsEnum Decimals
RoundingSysEnum Rounding
""",
    "Payment": """
s CardCode CardName Address CashAccount DocCurrency CheckAccount TransferAccount TransferReference Reference1
s Reference2 CounterReference PaymentReferenceNo Remarks JournalRemarks BankCode BankAccount ProjectCode
s BoeAccount BillOfExchangeAgent WTCode WTAccount PayToBankCode PayToBankBranch PayToBankAccountNo PayToCode
s PayToBankCountry TaxGroup TransactionCode ControlAccount BPLName VATRegNum SignatureInputMessage
s SignatureDigest CertificationNumber ElecCommMessage AllocationNumberIL
i DocEntry DocNum ContactPersonCode Series LocationCode BPLID BlanketAgreement Cig Cup AttachmentEntry
i PrivateKeyVersion EDocExportFormat
n CashSum TransferSum DocRate DiscountPercent DeductionPercent DeductionSum CashSumFC CashSumSys
n BillOfExchangeAmount BillOfExchangeAmountFC BillOfExchangeAmountSC WTAmount WTAmountFC WTAmountSC
n WTTaxableAmount BankChargeAmount BankChargeAmountInFC BankChargeAmountInSC UnderOverpaymentdifference
n UnderOverpaymentdiffSC WtBaseSum WtBaseSumFC WtBaseSumSC TransferRealAmount UnderOverpaymentdiffFC
d DocDate TransferDate TaxDate VatDate DueDate
y HandWritten Printed LocalCurrency SplitTransaction ApplyVAT CurrencyIsLocal Proforma IsPayToBank Cancelled
y PaymentByWTCertif SplitVendorCreditRow DigitalPayments
Any[] PaymentDocumentReferencesCollection WithholdingTaxCertificatesCollection ElectronicProtocols
Any[] Payments_ApprovalRequests WithholdingTaxDataWTXCollection
Any{} BillOfExchange
BoBoeStatus BillofExchangeStatus
BoORCTPaymentTypeEnum PaymentType
BoPaymentPriorities PaymentPriority
BoPaymentsObjectType DocObjectCode
BoRcptTypes DocType DocTypte
CancelStatusEnum CancelStatus
CashFlowAssignment[] CashFlowAssignments
ElecCommStatusEnum ElecCommStatus
PaymentAccount[] PaymentAccounts
PaymentCheck[] PaymentChecks
PaymentCreditCard[] PaymentCreditCards
PaymentInvoice[] PaymentInvoices
PaymentsAuthorizationStatusEnum AuthorizationStatus
""",
    "PaymentInvoice": """
s DistributionRule DistributionRule2 DistributionRule3 DistributionRule4 DistributionRule5
i LineNum DocEntry DocNum DocLine InstallmentId
n SumApplied AppliedFC AppliedSys DocRate DiscountPercent PaidSum WitholdingTaxApplied WitholdingTaxAppliedFC
n WitholdingTaxAppliedSC TotalDiscount TotalDiscountFC TotalDiscountSC
d LinkDate
BoRcptInvTypes InvoiceType
""",
    "PaymentCheck": """
s BankCode Branch AccounttNum Details Currency CountryCode CheckAccount FiscalID OriginallyIssuedBy
i LineNum CheckNumber CheckAbsEntry EndorsableCheckNo
n CheckSum
d DueDate
y Trnsfrable ManualCheck Endorse ECheck
""",
    "PaymentCreditCard": """
s CreditAcct CreditCardNumber CardValidUntil VoucherNum OwnerIdNum OwnerPhone FirstPaymentDue CreditCur
s ConfirmationNum
i LineNum CreditCard PaymentMethodCode NumOfPayments NumOfCreditPayments
n FirstPaymentSum AdditionalPaymentSum CreditSum CreditRate
y SplitPayments
BoRcptCredTypes CreditType
""",
    "PaymentAccount": """
s AccountCode Decription VatGroup AccountName ProfitCenter ProjectCode ProfitCenter2 ProfitCenter3 ProfitCenter4
s ProfitCenter5
i LineNum LocationCode
n SumPaid SumPaidFC GrossAmount VatAmount EqualizationVatAmount
""",
    "CashFlowAssignment": """
s CheckNumber
i CashFlowAssignmentsID CashFlowLineItemID JDTLineId JDTId
n Credit AmountLC AmountFC
PaymentMeansTypeEnum PaymentMeans
""",
}
