"""Who may call what: the protos' "Caller:" lines as one table. Whatever is not said here is allowed to nobody."""

MERCHANT, OPERATOR, MAKER, CHECKER, AUDITOR = "MERCHANT", "OPERATOR", "FINANCE_MAKER", "FINANCE_CHECKER", "AUDITOR"
ROLES = (MERCHANT, OPERATOR, MAKER, CHECKER, AUDITOR)

_ALLOWED: dict[tuple[str, ...], str] = {
    ROLES: """
        GetMerchant ListMerchants GetCurrency ListCurrencies ListPrices ListRates GetEffectiveRate GetClock
        GetRateBounds ListEarnRules GetPromotion ListPromotions ListWindows GetWindow ListNetPositions ListObligations
        ListPairTotals ListCarriedItems ListPayments ListCutOffs WatchEvents ListEvents ListPaymentLegs
        ListFunds ListFundsPostings GetDispute ListDisputes ListSettlementAdjustments
        GetExposure ListExposures GetPointsLimits GetCallQuota
        ReadStatement ReadStatementDetail ReadStatementProof
        GetExposure ListExposures GetPointsLimits GetCallQuota GetReturnBand
    """,
    (OPERATOR,): """
        CreateMerchant SetMerchantRoles SuspendMerchant ActivateMerchant CreateCurrency SuspendCurrency ActivateCurrency
        PublishPrice CreateEarnRule CreatePromotion EndPromotion IssueApiKey RevokeApiKey PublishRate EndRate SetClock
        ApproveRateDraft RevokeRate SetRateBounds SetBankDetails ApproveAdjustment CloseMember
        ApproveRateDraft RevokeRate SetRateBounds SetBankDetails SetNetDebitCap RemoveNetDebitCap
        SetPointsLimits
        ApproveRateDraft RevokeRate SetRateBounds SetBankDetails SetNetDebitCap RemoveNetDebitCap SetExternalLedger
        SetPointsLimits SetCallQuota SetReturnBand ProposeNetDebitCap ApproveNetDebitCap WithdrawNetDebitCap
    """,
    (MERCHANT, OPERATOR): """
        ProposeRates ValidateRateDraft WithdrawRateDraft ProposeAdjustment WithdrawAdjustment
        OpenDispute AnswerDispute WithdrawDispute
    """,
    (OPERATOR, AUDITOR): "ListApiKeys",
    (MERCHANT,): """
        EnrollMember LinkMember EarnPoints RedeemPoints DiscountPoints ConvertPoints UseInCampaign CashOutPoints
        WatchInstructions ListInstructions AcknowledgeInstruction
        CreateQuote HoldPoints CaptureHold VoidHold ReverseTransfer BatchTransfer StreamTransfers LookupTransfer
    """,
    (MERCHANT, OPERATOR, AUDITOR): """
        GetMember ListBalances ListLots ListStatementEntries ListMemberStatements
        GetQuote GetTransfer ListTransfers GetRateDraft ListRateDrafts GetAdjustment ListAdjustments
        GetExternalConversion ListExternalConversions
    """,
    (MAKER,): """
        CloseWindow StartRun SubmitRun CancelRun ProposeChange WithdrawProposal
        ExportPayments RetryPayments RecordBankMessage AssignDispute
    """,
    (CHECKER,): "ApproveRun RejectRun ApproveProposal RejectProposal ResolvePaymentException",
    (OPERATOR, CHECKER): "ConfirmBankDetails",
    (MAKER, CHECKER, AUDITOR): "ReadPaymentFile",
    (OPERATOR, MAKER, CHECKER, AUDITOR): """
        GetProposal ListProposals GetRun ListBankDetails ListPaymentFiles ListPaymentExceptions CheckLiquidity
        ReadReport ReadLiability ReadBreakage GetNetDebitCapChange ListNetDebitCapChanges
    """,
}

ROLES_OF: dict[str, tuple[str, ...]] = {
    method: roles for roles, methods in _ALLOWED.items() for method in methods.split()
}
"""Roles by method."""
