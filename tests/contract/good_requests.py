"""One request of each method in which every field is well formed; about things that mostly do not exist."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import event_service_pb2 as events
from exchange.v1 import external_ledger_service_pb2 as external
from exchange.v1 import limit_service_pb2 as limits
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import sandbox_service_pb2 as sandbox
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as disputes
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import reports_pb2 as reports
from settlement.v1 import settlement_service_pb2 as settlement
from tests.worlds import instant

UUID = "00000000-0000-7000-8000-000000000000"
MEMBER, TRANSFER, CURRENCY, MERCHANT, WINDOW = (
    f"members/{UUID}",
    f"transfers/{UUID}",
    "currencies/NIX",
    "merchants/NIX",
    "windows/999999",
)
DIGEST = "0" * 64
LONG_AGO, FAR, FARTHER = (instant(f"{year}-01-01T00:00:00+00:00") for year in (2001, 2150, 2151))
POINTS = types.PointsAmount(currency=CURRENCY, units=5)
RATE = rates.Rate(
    source_currency=CURRENCY,
    target_currency="currencies/NUX",
    source_units=30,
    target_units=1,
    block_units=3_000,
    minimum_units=3_000,
    maximum_units=9_000,
    bonus_every_units=10,
    bonus_units=1,
    fee_micros=1,
    fee_per_point_micros=1,
    fee_cap_micros=1,
    member_daily_cap_units=1,
    effective_time=FAR,
    end_time=FARTHER,
    tier="GOLD",
    supersedes=f"rates/{UUID}",
)
DRAFT = f"rateDrafts/{UUID}"
PRICE = types.Price(
    effective_time=FAR,
    issue_micros=1,
    redeem_micros=1,
    conversion_in_micros=1,
    conversion_out_micros=1,
    cash_out_micros=1,
    cash_out_fee_bps=1,
)
CURRENCY_TO_ISSUE = types.Currency(
    name=CURRENCY,
    issuer=MERCHANT,
    display_name="Nix",
    settlement_currency="CNY",
    expiry=types.ExpiryPolicy(kind=types.ExpiryPolicy.KIND_DAYS, days=365),
    breakage_share_bps=1,
)
PROMOTION = directory.Promotion(
    name="promotions/nix",
    kind=directory.Promotion.KIND_CONVERSION_BONUS,
    currency=CURRENCY,
    source_currency="currencies/NUX",
    bonus_bps=100,
    member_cap_units=1,
    budget_units=1,
    sponsors=[directory.PromotionSponsor(merchant=MERCHANT, share_bps=5_000)],
    effective_time=FAR,
    end_time=FARTHER,
)
KEY = directory.ApiKey(
    caller_role=directory.CALLER_ROLE_MERCHANT,
    merchant=MERCHANT,
    display_name="Nix",
    expire_time=FAR,
    holder="li.wei",
)
CONFIGURATION = settlement.RunConfiguration(
    mode=settlement.NETTING_MODE_BILATERAL,
    minimum_minor_units={"CNY": 5},
    maximum_carry_days={"CNY": 90},
    legal_model=settlement.LEGAL_MODEL_PAYMENT_NETTING,
)
ACCOUNT = payments.BankAccount(
    holder="Nix 公司", number="6222000012345678", clearing_system="CNAPS", clearing_member="102"
)
CALENDAR = settlement.SettlementCalendar(
    currencies=[
        settlement.CurrencyCalendar(
            currency_code="CNY",
            time_zone="Asia/Shanghai",
            frequency=settlement.CurrencyCalendar.FREQUENCY_WEEKLY,
            weekday=5,
            cut_off_time="18:00",
            convention=settlement.CurrencyCalendar.CONVENTION_PRECEDING,
            pay_lag_days=1,
            holidays=["CN"],
            closed_dates=["2026-12-31"],
            open_dates=["2026-12-27"],
        )
    ]
)
PROPOSALS = [
    settlement.Proposal(
        terms=settlement.SettlementTerms(
            mode=settlement.NETTING_MODE_BILATERAL,
            legal_model=settlement.LEGAL_MODEL_PAYMENT_NETTING,
            minimum_minor_units={"CNY": 5},
            maximum_carry_days={"CNY": 90},
        )
    ),
    settlement.Proposal(
        tiers=settlement.ApprovalTiers(
            tiers=[settlement.ApprovalTier(currency_code="CNY", from_minor_units=5, checkers=2)]
        )
    ),
    settlement.Proposal(
        exclusions=settlement.ExclusionList(
            excluded=[settlement.Exclusion(participant=MERCHANT, reason="r")],
            released=[settlement.Release(participant=MERCHANT, window=WINDOW)],
        )
    ),
    settlement.Proposal(special_closing=settlement.SpecialClosing(window=WINDOW, currency_codes=["CNY"])),
    settlement.Proposal(
        funds_terms=funds.FundsTerms(
            currencies=[
                funds.CurrencyFundsTerms(
                    currency_code="CNY",
                    liquidity=funds.LIQUIDITY_DEMAND_REFUSE,
                    collateral_pays=True,
                    cap_bps=1,
                    contribution_cap_bps=1,
                    residual=funds.RESIDUAL_LOSS_CREDITORS,
                    cap_binds=True,
                )
            ]
        )
    ),
    settlement.Proposal(
        funds_movement=funds.FundsMovement(
            way=funds.FundsMovement.WAY_DEPOSIT,
            participant=MERCHANT,
            purpose=funds.FUNDS_PURPOSE_COLLATERAL,
            currency_code="CNY",
            minor_units=5,
            reference="r",
            value_date="2026-03-02",
        )
    ),
    settlement.Proposal(default_declaration=funds.DefaultDeclaration(participant=MERCHANT, window=WINDOW)),
    settlement.Proposal(
        default_recovery=funds.DefaultRecovery(
            participant=MERCHANT,
            window=WINDOW,
            currency_code="CNY",
            minor_units=5,
            reference="r",
            value_date="2026-03-02",
        )
    ),
    settlement.Proposal(
        default_write_off=funds.DefaultWriteOff(participant=MERCHANT, window=WINDOW, currency_code="CNY", minor_units=5)
    ),
    settlement.Proposal(
        participant_exit=funds.ParticipantExit(
            participant=MERCHANT,
            waivers=[funds.ExitWaiver(subject=funds.ParticipantExit.SUBJECT_POINTS_ISSUED, reason="r")],
        )
    ),
    settlement.Proposal(
        dispute_policy=disputes.DisputePolicy(
            answer_days=5,
            decision_days=5,
            claim_days=30,
            unanswered=disputes.DISPUTE_VERDICT_UPHELD,
            undecided=disputes.DISPUTE_VERDICT_REJECTED,
            held_out_reasons=[disputes.DISPUTE_REASON_FRAUD],
            owner="zoe",
        )
    ),
    settlement.Proposal(dispute_decision=disputes.DisputeDecision(dispute=f"disputes/{UUID}", upheld_minor_units=5)),
    settlement.Proposal(
        adjustment=disputes.AgreedAdjustment(
            debtor=MERCHANT,
            creditor="merchants/NUX",
            currency_code="CNY",
            minor_units=5,
            evidence="e",
            transfer=TRANSFER,
        )
    ),
]

HOLD = transfers.HoldPointsRequest(
    request_id="5", member=MEMBER, points=POINTS, reference="r", validate_only=True, lifetime=Duration(seconds=600)
)
ITEMS = [
    transfers.TransferItem(earn=transfers.EarnPointsRequest(request_id="1", member=MEMBER, points=POINTS)),
    transfers.TransferItem(reverse=transfers.ReverseTransferRequest(request_id="2", original=TRANSFER)),
]

ADJUSTMENT = f"adjustments/{UUID}"
CAP_CHANGE = f"netDebitCapChanges/{UUID}"

GOOD: dict[str, Message] = {
    "CloseMember": members.CloseMemberRequest(member=MEMBER, reason="why"),
    "ProposeAdjustment": transfers.ProposeAdjustmentRequest(
        request_id="6",
        member=MEMBER,
        points=POINTS,
        direction=transfers.Adjustment.DIRECTION_CREDIT,
        reason=transfers.Adjustment.REASON_GOODWILL,
        note="why",
        funder=MERCHANT,
    ),
    "ApproveAdjustment": transfers.ApproveAdjustmentRequest(name=ADJUSTMENT, digest=DIGEST, note="why"),
    "WithdrawAdjustment": transfers.WithdrawAdjustmentRequest(name=ADJUSTMENT, note="why"),
    "GetAdjustment": transfers.GetAdjustmentRequest(name=ADJUSTMENT),
    "ListAdjustments": transfers.ListAdjustmentsRequest(page_size=1, state=transfers.Adjustment.STATE_PROPOSED),
    "SetNetDebitCap": limits.SetNetDebitCapRequest(merchant=MERCHANT, currency_code="CNY", cap_micros=1, reason="why"),
    "RemoveNetDebitCap": limits.RemoveNetDebitCapRequest(merchant=MERCHANT, currency_code="CNY", reason="why"),
    "ProposeNetDebitCap": limits.ProposeNetDebitCapRequest(
        request_id="8", merchant=MERCHANT, currency_code="CNY", cap_micros=1, reason="why"
    ),
    "ApproveNetDebitCap": limits.ApproveNetDebitCapRequest(name=CAP_CHANGE, digest=DIGEST, note="why"),
    "WithdrawNetDebitCap": limits.WithdrawNetDebitCapRequest(name=CAP_CHANGE, note="why"),
    "GetNetDebitCapChange": limits.GetNetDebitCapChangeRequest(name=CAP_CHANGE),
    "ListNetDebitCapChanges": limits.ListNetDebitCapChangesRequest(
        page_size=1, state=limits.NetDebitCapChange.STATE_PROPOSED
    ),
    "GetExposure": limits.GetExposureRequest(merchant=MERCHANT, currency_code="CNY"),
    "SetPointsLimits": limits.SetPointsLimitsRequest(
        limits=limits.PointsLimits(currency=CURRENCY, member_earn_units=1, member_use_units=1, issuance_units=1),
        reason="why",
    ),
    "SetCallQuota": limits.SetCallQuotaRequest(
        quota=limits.CallQuota(merchant=MERCHANT, calls_per_second=1, burst_calls=1, concurrent_calls=1), reason="why"
    ),
    "SetReturnBand": limits.SetReturnBandRequest(
        band=limits.ReturnBand(
            merchant=MERCHANT,
            sector=limits.ReturnBand.SECTOR_TELECOM,
            max_bps=1,
            action=limits.ReturnBand.ACTION_WARN,
        ),
        reason="why",
    ),
    "GetReturnBand": limits.GetReturnBandRequest(merchant=MERCHANT),
    "GetCallQuota": limits.GetCallQuotaRequest(merchant=MERCHANT),
    "GetPointsLimits": limits.GetPointsLimitsRequest(currency=CURRENCY),
    "ListExposures": limits.ListExposuresRequest(page_size=1),
    "CreateMerchant": directory.CreateMerchantRequest(
        merchant=types.Merchant(name="merchants/Wire", display_name="Wire", roles=[types.MERCHANT_ROLE_GENERAL])
    ),
    "GetMerchant": directory.GetMerchantRequest(name=MERCHANT),
    "ListMerchants": directory.ListMerchantsRequest(page_size=1),
    "SetMerchantRoles": directory.SetMerchantRolesRequest(name=MERCHANT, roles=[types.MERCHANT_ROLE_GENERAL]),
    "SuspendMerchant": directory.SuspendMerchantRequest(name=MERCHANT, reason="why"),
    "ActivateMerchant": directory.ActivateMerchantRequest(name=MERCHANT, reason="why"),
    "CreateCurrency": directory.CreateCurrencyRequest(currency=CURRENCY_TO_ISSUE),
    "GetCurrency": directory.GetCurrencyRequest(name=CURRENCY),
    "ListCurrencies": directory.ListCurrenciesRequest(page_size=1),
    "SuspendCurrency": directory.SuspendCurrencyRequest(name=CURRENCY, reason="why"),
    "ActivateCurrency": directory.ActivateCurrencyRequest(name=CURRENCY, reason="why"),
    "PublishPrice": directory.PublishPriceRequest(currency=CURRENCY, price=PRICE),
    "ListPrices": directory.ListPricesRequest(currency=CURRENCY, page_size=1),
    "CreateEarnRule": directory.CreateEarnRuleRequest(
        earn_rule=directory.EarnRule(
            name="earnRules/nix", merchant=MERCHANT, currency=CURRENCY, per_minor_units=100, points_units=1
        )
    ),
    "ListEarnRules": directory.ListEarnRulesRequest(page_size=1),
    "CreatePromotion": directory.CreatePromotionRequest(promotion=PROMOTION),
    "EndPromotion": directory.EndPromotionRequest(name="promotions/nix", end_time=FAR),
    "GetPromotion": directory.GetPromotionRequest(name="promotions/nix"),
    "ListPromotions": directory.ListPromotionsRequest(page_size=1),
    "IssueApiKey": directory.IssueApiKeyRequest(api_key=KEY),
    "RevokeApiKey": directory.RevokeApiKeyRequest(name=f"apiKeys/{UUID}"),
    "ListApiKeys": directory.ListApiKeysRequest(page_size=1),
    "EnrollMember": members.EnrollMemberRequest(reference="wire"),
    "LinkMember": members.LinkMemberRequest(member=MEMBER, reference="wire"),
    "GetMember": members.GetMemberRequest(member=MEMBER),
    "ListBalances": members.ListBalancesRequest(member=MEMBER, min_ledger_sequence=1, expiring_days=30),
    "ListLots": members.ListLotsRequest(member=MEMBER, currency=CURRENCY, page_size=1),
    "ListStatementEntries": members.ListStatementEntriesRequest(
        member=MEMBER, currency=CURRENCY, page_size=1, begin_time=LONG_AGO, end_time=FAR, after_account_sequence=1
    ),
    "ListMemberStatements": members.ListMemberStatementsRequest(
        member=MEMBER, currency=CURRENCY, month="2026-03", page_size=1
    ),
    "PublishRate": rates.PublishRateRequest(rate=RATE),
    "ProposeRates": rates.ProposeRatesRequest(rates=[RATE], note="why"),
    "ValidateRateDraft": rates.ValidateRateDraftRequest(name=DRAFT),
    "ApproveRateDraft": rates.ApproveRateDraftRequest(name=DRAFT, digest="0a" * 32, reason="why"),
    "WithdrawRateDraft": rates.WithdrawRateDraftRequest(name=DRAFT, reason="why"),
    "GetRateDraft": rates.GetRateDraftRequest(name=DRAFT),
    "ListRateDrafts": rates.ListRateDraftsRequest(page_size=1, state=rates.RateDraft.STATE_APPROVED),
    "RevokeRate": rates.RevokeRateRequest(name=f"rates/{UUID}", reason="why"),
    "GetRateBounds": rates.GetRateBoundsRequest(),
    "SetRateBounds": rates.SetRateBoundsRequest(
        bounds=rates.RateBounds(
            bonus_bps_max=1_000_000_000,
            margin_bps_max=1_000_000_000,
            change_bps_max=1_000_000_000,
            fee_micros_max=2**62,
            fee_per_point_micros_max=2**62,
            notice_seconds_min=0,
        ),
        reason="why",
    ),
    "EndRate": rates.EndRateRequest(name=f"rates/{UUID}", end_time=FAR),
    "ListRates": rates.ListRatesRequest(source_currency=CURRENCY, target_currency="currencies/NUX", page_size=1),
    "GetEffectiveRate": rates.GetEffectiveRateRequest(
        source_currency=CURRENCY, target_currency="currencies/NUX", at_time=FAR, tier="GOLD"
    ),
    "CreateQuote": rates.CreateQuoteRequest(
        member=MEMBER,
        source_currency=CURRENCY,
        target_currency="currencies/NUX",
        source_units=5,
        lifetime=Duration(seconds=600),
        tier="GOLD",
    ),
    "GetQuote": rates.GetQuoteRequest(name=f"quotes/{UUID}"),
    # A good cursor is the server's to give; see test_events.
    "WatchEvents": events.WatchEventsRequest(kinds=[events.Event.KIND_TRANSFER], from_now=True),
    "ListEvents": events.ListEventsRequest(kinds=[events.Event.KIND_TRANSFER], from_now=True, page_size=1),
    "SetClock": sandbox.SetClockRequest(time=LONG_AGO),
    "GetClock": sandbox.GetClockRequest(),
    "EarnPoints": transfers.EarnPointsRequest(
        request_id="wire", member=MEMBER, points=POINTS, expire_time=FAR, reference="r", validate_only=True
    ),
    "RedeemPoints": transfers.RedeemPointsRequest(
        request_id="wire", member=MEMBER, points=POINTS, reference="r", validate_only=True
    ),
    "DiscountPoints": transfers.DiscountPointsRequest(
        request_id="wire", member_reference="wire", points=POINTS, reference="r", validate_only=True
    ),
    "ConvertPoints": transfers.ConvertPointsRequest(
        request_id="wire",
        member=MEMBER,
        source=POINTS,
        target_currency="currencies/NUX",
        min_target_units=5,
        tier="GOLD",
        external_wait=Duration(seconds=1),
        reference="r",
        validate_only=True,
    ),
    "UseInCampaign": transfers.UseInCampaignRequest(
        request_id="wire", member=MEMBER, points=POINTS, reference="r", validate_only=True
    ),
    "CashOutPoints": transfers.CashOutPointsRequest(
        request_id="wire", member=MEMBER, points=POINTS, reference="r", validate_only=True
    ),
    "HoldPoints": HOLD,
    "CaptureHold": transfers.CaptureHoldRequest(
        request_id="wire", hold=TRANSFER, reference="r", validate_only=True, units=5
    ),
    "VoidHold": transfers.VoidHoldRequest(request_id="wire", hold=TRANSFER, reference="r", validate_only=True),
    "ReverseTransfer": transfers.ReverseTransferRequest(
        request_id="wire", original=TRANSFER, reference="r", validate_only=True, units=5
    ),
    # Items are read by the very parsers of their unary requests; what is their own here is the path that names them.
    "BatchTransfer": transfers.BatchTransferRequest(mode=transfers.BatchTransferRequest.MODE_ATOMIC, items=ITEMS),
    "StreamTransfers": transfers.StreamTransfersRequest(item=ITEMS[0]),
    "GetTransfer": transfers.GetTransferRequest(name=f"transfers/{UUID}"),
    "LookupTransfer": transfers.LookupTransferRequest(request_id="wire"),
    "ListTransfers": transfers.ListTransfersRequest(window=WINDOW, member=MEMBER, page_size=1),
    "SetExternalLedger": external.SetExternalLedgerRequest(currency=CURRENCY, answer_timeout=Duration(seconds=60)),
    "WatchInstructions": external.WatchInstructionsRequest(from_now=True),
    "ListInstructions": external.ListInstructionsRequest(page_size=1, unanswered_only=True),
    "AcknowledgeInstruction": external.AcknowledgeInstructionRequest(
        name=f"instructions/{UUID}", outcome=types.INSTRUCTION_OUTCOME_REJECTED, reference="r", reason="why"
    ),
    "GetExternalConversion": external.GetExternalConversionRequest(name=f"externalConversions/{UUID}"),
    "ListExternalConversions": external.ListExternalConversionsRequest(page_size=1, currency=CURRENCY, open_only=True),
    "ListWindows": settlement.ListWindowsRequest(page_size=1),
    "GetWindow": settlement.GetWindowRequest(name=WINDOW),
    "CloseWindow": settlement.CloseWindowRequest(name=WINDOW),
    "StartRun": settlement.StartRunRequest(window=WINDOW, configuration=CONFIGURATION),
    "GetRun": settlement.GetRunRequest(name=f"runs/{UUID}"),
    "SubmitRun": settlement.SubmitRunRequest(name=f"runs/{UUID}", result_digest=DIGEST, reason="r"),
    "ApproveRun": settlement.ApproveRunRequest(
        name=f"runs/{UUID}", result_digest=DIGEST, etag="e", reason="r", acknowledge_shortfall=True
    ),
    "RejectRun": settlement.RejectRunRequest(name=f"runs/{UUID}", result_digest=DIGEST, etag="e", reason="r"),
    "CancelRun": settlement.CancelRunRequest(name=f"runs/{UUID}", reason="r"),
    "ProposeChange": settlement.ProposeChangeRequest(proposal=settlement.Proposal(calendar=CALENDAR), reason="r"),
    "ApproveProposal": settlement.ApproveProposalRequest(name=f"proposals/{UUID}", digest=DIGEST, reason="r"),
    "RejectProposal": settlement.RejectProposalRequest(name=f"proposals/{UUID}", digest=DIGEST, reason="r"),
    "WithdrawProposal": settlement.WithdrawProposalRequest(name=f"proposals/{UUID}", reason="r"),
    "GetProposal": settlement.GetProposalRequest(name=f"proposals/{UUID}"),
    "ListProposals": settlement.ListProposalsRequest(
        kind=settlement.ListProposalsRequest.KIND_TERMS, waiting_only=True, page_size=1
    ),
    "ListCutOffs": settlement.ListCutOffsRequest(count=1),
    "ListNetPositions": settlement.ListNetPositionsRequest(run=f"runs/{UUID}", page_size=1),
    "ListObligations": settlement.ListObligationsRequest(
        window=WINDOW,
        debtor=MERCHANT,
        creditor="merchants/NUX",
        page_size=1,
        merchant=MERCHANT,
        kind=types.Obligation.KIND_REDEEM,
        currency_code="CNY",
    ),
    "ReadReport": reports.ReadReportRequest(
        run=f"runs/{UUID}", kind=reports.REPORT_KIND_JOURNAL, format=reports.REPORT_FORMAT_HLEDGER
    ),
    "ReadStatement": reports.ReadStatementRequest(
        run=f"runs/{UUID}", merchant=MERCHANT, format=reports.REPORT_FORMAT_PDF
    ),
    "ReadStatementDetail": reports.ReadStatementDetailRequest(window=WINDOW, merchant=MERCHANT),
    "ReadStatementProof": reports.ReadStatementProofRequest(window=WINDOW, merchant=MERCHANT),
    "ReadLiability": reports.ReadLiabilityRequest(
        window=WINDOW, first_window=WINDOW, format=reports.REPORT_FORMAT_XLSX
    ),
    "ReadBreakage": reports.ReadBreakageRequest(currency=CURRENCY, window=WINDOW, format=reports.REPORT_FORMAT_CSV),
    "ListPairTotals": settlement.ListPairTotalsRequest(run=f"runs/{UUID}", page_size=1),
    "ListCarriedItems": settlement.ListCarriedItemsRequest(run=f"runs/{UUID}", page_size=1),
    "ListPayments": settlement.ListPaymentsRequest(run=f"runs/{UUID}", page_size=1),
    "SetBankDetails": payments.SetBankDetailsRequest(merchant=MERCHANT, currency_code="CNY", account=ACCOUNT),
    "ConfirmBankDetails": payments.ConfirmBankDetailsRequest(name=f"{MERCHANT}/bankDetails/CNY/1"),
    "ListBankDetails": payments.ListBankDetailsRequest(merchant=MERCHANT, page_size=1),
    "ExportPayments": payments.ExportPaymentsRequest(
        run=f"runs/{UUID}", result_digest=DIGEST, format=payments.PAYMENT_FORMAT_CSV, execution_date="2026-03-02"
    ),
    "RetryPayments": payments.RetryPaymentsRequest(
        run=f"runs/{UUID}", format=payments.PAYMENT_FORMAT_CSV, execution_date="2026-03-02"
    ),
    "ListPaymentFiles": payments.ListPaymentFilesRequest(run=f"runs/{UUID}", page_size=1),
    "ReadPaymentFile": payments.ReadPaymentFileRequest(name="paymentFiles/W1-CNY-1-0", offset=5),
    "ListPaymentLegs": payments.ListPaymentLegsRequest(run=f"runs/{UUID}", page_size=1),
    "RecordBankMessage": payments.RecordBankMessageRequest(content=b"<Document/>"),
    "ListPaymentExceptions": payments.ListPaymentExceptionsRequest(include_resolved=True, page_size=1),
    "ResolvePaymentException": payments.ResolvePaymentExceptionRequest(
        name="paymentExceptions/999999", payment="payments/W1-1-1-0", note="n"
    ),
    "ListFunds": funds.ListFundsRequest(participant=MERCHANT),
    "ListFundsPostings": funds.ListFundsPostingsRequest(participant=MERCHANT, page_size=1),
    "CheckLiquidity": funds.CheckLiquidityRequest(run=f"runs/{UUID}"),
    "OpenDispute": disputes.OpenDisputeRequest(
        request_id="wire",
        transfer=TRANSFER,
        debtor=MERCHANT,
        creditor="merchants/NUX",
        currency_code="CNY",
        minor_units=5,
        reason=disputes.DISPUTE_REASON_OTHER,
        statement="s",
        evidence="e",
    ),
    "AnswerDispute": disputes.AnswerDisputeRequest(
        name=f"disputes/{UUID}", answer=disputes.AnswerDisputeRequest.ANSWER_CONTEST, statement="s", evidence="e"
    ),
    "WithdrawDispute": disputes.WithdrawDisputeRequest(name=f"disputes/{UUID}", reason="r"),
    "AssignDispute": disputes.AssignDisputeRequest(name=f"disputes/{UUID}", owner="zoe"),
    "GetDispute": disputes.GetDisputeRequest(name=f"disputes/{UUID}"),
    "ListDisputes": disputes.ListDisputesRequest(window=WINDOW, transfer=TRANSFER, waiting_only=True, page_size=1),
    "ListSettlementAdjustments": disputes.ListSettlementAdjustmentsRequest(window=WINDOW, page_size=1),
}

OTHERS: list[tuple[str, Message]] = [
    *(("ProposeChange", settlement.ProposeChangeRequest(proposal=proposal)) for proposal in PROPOSALS),
    (
        "EarnPoints",
        transfers.EarnPointsRequest(
            request_id="wire",
            member=MEMBER,
            spend=types.Spend(rule="earnRules/nix", minor_units=5),
            expire_time=FAR,
            validate_only=True,
        ),
    ),
    (
        "ConvertPoints",
        transfers.ConvertPointsRequest(request_id="wire", member=MEMBER, quote=f"quotes/{UUID}", validate_only=True),
    ),
    (
        "CreateQuote",
        rates.CreateQuoteRequest(
            member_reference="wire", source_currency=CURRENCY, target_currency="currencies/NUX", target_units=5
        ),
    ),
    (
        "ReverseTransfer",
        transfers.ReverseTransferRequest(
            request_id="wire", original=TRANSFER, retained=transfers.Retained(kept=1, total=2), validate_only=True
        ),
    ),
    (
        "CreateCurrency",
        directory.CreateCurrencyRequest(
            currency=types.Currency(
                name=CURRENCY,
                issuer=MERCHANT,
                settlement_currency="CNY",
                expiry=types.ExpiryPolicy(kind=types.ExpiryPolicy.KIND_INACTIVITY, days=365),
            )
        ),
    ),
    (
        "CreateCurrency",
        directory.CreateCurrencyRequest(
            currency=types.Currency(
                name=CURRENCY,
                issuer=MERCHANT,
                settlement_currency="CNY",
                expiry=types.ExpiryPolicy(
                    kind=types.ExpiryPolicy.KIND_FISCAL_YEAR,
                    fiscal_year_end_month=3,
                    fiscal_year_end_day=31,
                    grace_months=1,
                ),
            )
        ),
    ),
]
"""Requests that say the same by other fields."""
