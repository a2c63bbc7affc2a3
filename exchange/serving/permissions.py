"""Who may call what. A method without a row here is refused to everybody.

The table speaks of kinds of callers only; which things a caller may name in a request is for the use case to check.
"""

from __future__ import annotations

from exchange.callers import CallerRole

Roles = frozenset[CallerRole]

_ALL: Roles = frozenset(CallerRole)
_MERCHANT: Roles = frozenset({CallerRole.MERCHANT})
_OPERATOR: Roles = frozenset({CallerRole.OPERATOR})
_OPERATOR_AUDITOR: Roles = frozenset({CallerRole.OPERATOR, CallerRole.AUDITOR})
_MERCHANT_OPERATOR: Roles = _MERCHANT | _OPERATOR
_MERCHANT_OPERATOR_AUDITOR: Roles = _MERCHANT | _OPERATOR_AUDITOR
_MAKER: Roles = frozenset({CallerRole.FINANCE_MAKER})
_CHECKER: Roles = frozenset({CallerRole.FINANCE_CHECKER})
_ALL_BUT_MERCHANT: Roles = _ALL - _MERCHANT

_ROWS: dict[str, dict[str, Roles]] = {
    "exchange.v1.DirectoryService": {
        "CreateMerchant": _OPERATOR,
        "GetMerchant": _ALL,
        "ListMerchants": _ALL,
        "SetMerchantRoles": _OPERATOR,
        "SuspendMerchant": _OPERATOR,
        "ActivateMerchant": _OPERATOR,
        "CreateCurrency": _OPERATOR,
        "GetCurrency": _ALL,
        "ListCurrencies": _ALL,
        "SuspendCurrency": _OPERATOR,
        "ActivateCurrency": _OPERATOR,
        "PublishPrice": _OPERATOR,
        "ListPrices": _ALL,
        "CreateEarnRule": _OPERATOR,
        "ListEarnRules": _ALL,
        "CreatePromotion": _OPERATOR,
        "EndPromotion": _OPERATOR,
        "GetPromotion": _ALL,
        "ListPromotions": _ALL,
        "IssueApiKey": _OPERATOR,
        "RevokeApiKey": _OPERATOR,
        "ListApiKeys": _OPERATOR_AUDITOR,
    },
    "exchange.v1.MemberService": {
        "EnrollMember": _MERCHANT,
        "LinkMember": _MERCHANT,
        "CloseMember": _OPERATOR,
        "GetMember": _MERCHANT_OPERATOR_AUDITOR,
        "ListBalances": _MERCHANT_OPERATOR_AUDITOR,
        "ListLots": _MERCHANT_OPERATOR_AUDITOR,
        "ListStatementEntries": _MERCHANT_OPERATOR_AUDITOR,
        "ListMemberStatements": _MERCHANT_OPERATOR_AUDITOR,
    },
    "exchange.v1.RateService": {
        "PublishRate": _OPERATOR,
        "ProposeRates": _MERCHANT_OPERATOR,
        "ValidateRateDraft": _MERCHANT_OPERATOR,
        "ApproveRateDraft": _OPERATOR,
        "WithdrawRateDraft": _MERCHANT_OPERATOR,
        "GetRateDraft": _MERCHANT_OPERATOR_AUDITOR,
        "ListRateDrafts": _MERCHANT_OPERATOR_AUDITOR,
        "RevokeRate": _OPERATOR,
        "GetRateBounds": _ALL,
        "SetRateBounds": _OPERATOR,
        "EndRate": _OPERATOR,
        "ListRates": _ALL,
        "GetEffectiveRate": _ALL,
        "CreateQuote": _MERCHANT,
        "GetQuote": _MERCHANT_OPERATOR_AUDITOR,
    },
    "exchange.v1.TransferService": {
        "EarnPoints": _MERCHANT,
        "RedeemPoints": _MERCHANT,
        "DiscountPoints": _MERCHANT,
        "ConvertPoints": _MERCHANT,
        "UseInCampaign": _MERCHANT,
        "CashOutPoints": _MERCHANT,
        "HoldPoints": _MERCHANT,
        "CaptureHold": _MERCHANT,
        "VoidHold": _MERCHANT,
        "ReverseTransfer": _MERCHANT,
        "BatchTransfer": _MERCHANT,
        "StreamTransfers": _MERCHANT,
        "GetTransfer": _MERCHANT_OPERATOR_AUDITOR,
        # Looks into the caller's own idempotency keys, and only merchants have any.
        "LookupTransfer": _MERCHANT,
        "ListTransfers": _MERCHANT_OPERATOR_AUDITOR,
        "ProposeAdjustment": _MERCHANT_OPERATOR,
        "ApproveAdjustment": _OPERATOR,
        "WithdrawAdjustment": _MERCHANT_OPERATOR,
        "GetAdjustment": _MERCHANT_OPERATOR_AUDITOR,
        "ListAdjustments": _MERCHANT_OPERATOR_AUDITOR,
    },
    "exchange.v1.EventService": {
        # Which events a caller is told is for the use case to say.
        "WatchEvents": _ALL,
        "ListEvents": _ALL,
    },
    "exchange.v1.LimitService": {
        "SetNetDebitCap": _OPERATOR,
        "RemoveNetDebitCap": _OPERATOR,
        "ProposeNetDebitCap": _OPERATOR,
        "ApproveNetDebitCap": _OPERATOR,
        "WithdrawNetDebitCap": _OPERATOR,
        "GetNetDebitCapChange": _ALL_BUT_MERCHANT,
        "ListNetDebitCapChanges": _ALL_BUT_MERCHANT,
        "GetExposure": _ALL,
        "ListExposures": _ALL,
        "SetPointsLimits": _OPERATOR,
        "GetPointsLimits": _ALL,
        "SetCallQuota": _OPERATOR,
        "GetCallQuota": _ALL,
        "SetReturnBand": _OPERATOR,
        "GetReturnBand": _ALL,
    },
    "exchange.v1.ExternalLedgerService": {
        "SetExternalLedger": _OPERATOR,
        # Each merchant its own instructions, as an issuer: the use case looks.
        "WatchInstructions": _MERCHANT,
        "ListInstructions": _MERCHANT,
        "AcknowledgeInstruction": _MERCHANT,
        "GetExternalConversion": _MERCHANT_OPERATOR_AUDITOR,
        "ListExternalConversions": _MERCHANT_OPERATOR_AUDITOR,
    },
    "exchange.v1.SandboxService": {
        "SetClock": _OPERATOR,
        "GetClock": _ALL,
    },
    "settlement.v1.SettlementService": {
        "ListWindows": _ALL,
        "GetWindow": _ALL,
        "CloseWindow": _MAKER,
        "StartRun": _MAKER,
        "GetRun": _ALL_BUT_MERCHANT,
        "SubmitRun": _MAKER,
        "ApproveRun": _CHECKER,
        "RejectRun": _CHECKER,
        "CancelRun": _MAKER,
        "ProposeChange": _MAKER,
        "ApproveProposal": _CHECKER,
        "RejectProposal": _CHECKER,
        "WithdrawProposal": _MAKER,
        "GetProposal": _ALL_BUT_MERCHANT,
        "ListProposals": _ALL_BUT_MERCHANT,
        "ListCutOffs": _ALL,
        "ListNetPositions": _ALL,
        "ListObligations": _ALL,
        "ListPairTotals": _ALL,
        "ListCarriedItems": _ALL,
        "ListPayments": _ALL,
        "SetBankDetails": _OPERATOR,
        "ConfirmBankDetails": _OPERATOR | _CHECKER,
        "ListBankDetails": _ALL_BUT_MERCHANT,
        "ExportPayments": _MAKER,
        "RetryPayments": _MAKER,
        "ListPaymentFiles": _ALL_BUT_MERCHANT,
        "ReadPaymentFile": _MAKER | _CHECKER | frozenset({CallerRole.AUDITOR}),
        "ListPaymentLegs": _ALL,
        "RecordBankMessage": _MAKER,
        "ListPaymentExceptions": _ALL_BUT_MERCHANT,
        "ResolvePaymentException": _CHECKER,
        "ReadReport": _ALL_BUT_MERCHANT,
        "ReadStatement": _ALL,
        "ReadStatementDetail": _ALL,
        "ReadStatementProof": _ALL,
        "ReadLiability": _ALL_BUT_MERCHANT,
        "ReadBreakage": _ALL_BUT_MERCHANT,
        "ListFunds": _ALL,
        "ListFundsPostings": _ALL,
        "CheckLiquidity": _ALL_BUT_MERCHANT,
        "OpenDispute": _MERCHANT_OPERATOR,
        "AnswerDispute": _MERCHANT_OPERATOR,
        "WithdrawDispute": _MERCHANT_OPERATOR,
        "AssignDispute": _MAKER,
        "GetDispute": _ALL,
        "ListDisputes": _ALL,
        "ListSettlementAdjustments": _ALL,
    },
}

PERMISSIONS: dict[str, Roles] = {
    f"/{service}/{method}": roles for service, methods in _ROWS.items() for method, roles in methods.items()
}
"""Roles that may call a method, by its full name "/exchange.v1.TransferService/EarnPoints"."""
