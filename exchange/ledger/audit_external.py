"""The part of the ledger audit that looks at currencies whose issuers keep the balances themselves."""

from __future__ import annotations

from exchange.ledger.audit_entries import LEGS

_CIRCULATION, _HELD, _DEBIT, _CREDIT = 2, 3, 1, 2
_BEGUN, _COMPLETED, _RELEASE = 150, 151, 9
_CONVERSION, _SPREAD, _FEE = 4, 5, 6

EXTERNAL_CHECKS: dict[str, str] = {
    "each conversion with an issuer's own ledger was begun by its transfer, and has its one instruction": f"""
        SELECT bucket, conversion_id, t.kind, c.member_id, t.member_id AS begun_for, c.used_units, reserved.units,
               i.kind AS instructed
        FROM (SELECT * FROM exchange.external_conversions WHERE conversion_id >= (SELECT exchange.retired_to())) c
        FULL JOIN (SELECT bucket, transfer_id AS conversion_id, kind, merchant_no, member_id, legs
                   FROM exchange.transfers WHERE kind = {_BEGUN}) t USING (bucket, conversion_id)
        FULL JOIN (SELECT bucket, conversion_id, instruction_id, issuer_no, kind
                   FROM exchange.external_instructions
                   WHERE kind <> 3 AND conversion_id >= (SELECT exchange.retired_to())) i USING (bucket, conversion_id)
        LEFT JOIN LATERAL (SELECT coalesce(sum(units), 0) AS units FROM unnest(t.legs)
                           WHERE account = {_HELD} AND side = {_CREDIT}) reserved ON true
        WHERE (c.merchant_no, c.member_id) IS DISTINCT FROM (t.merchant_no, t.member_id)
           OR (c.issuer_no, CASE WHEN c.is_debit THEN 1 ELSE 2 END) IS DISTINCT FROM (i.issuer_no, i.kind)
           OR i.instruction_id <> conversion_id OR reserved.units <> CASE WHEN c.is_debit THEN 0 ELSE c.used_units END
    """,
    "each such conversion that ended did so by one transfer, as its issuer answered, for what was fixed": f"""
        SELECT c.bucket, c.conversion_id, c.answer, c.transfer_id, f.transfers, f.kind, f.burnt, f.made
        FROM exchange.external_conversions c
        LEFT JOIN LATERAL (
            SELECT count(*) AS transfers, min(t.transfer_id::text)::uuid AS transfer_id, min(t.kind) AS kind,
                   coalesce(sum(burnt), 0) AS burnt, coalesce(sum(made), 0) AS made
            FROM exchange.transfers t
            CROSS JOIN LATERAL (SELECT sum(units) FILTER (WHERE side = {_CREDIT}) AS burnt,
                                       sum(units) FILTER (WHERE side = {_DEBIT}) AS made
                                FROM unnest(t.legs) WHERE account = {_CIRCULATION}) moved
            WHERE t.bucket = c.bucket AND t.member_id = c.member_id AND t.original_id = c.conversion_id) f ON true
        WHERE (c.transfer_id IS NULL OR c.transfer_id >= (SELECT exchange.retired_to()))
          AND ((c.transfer_id, (c.transfer_id IS NOT NULL)::integer) IS DISTINCT FROM (f.transfer_id, f.transfers)
           OR (f.transfers = 1 AND (f.kind, f.burnt, f.made) IS DISTINCT FROM (
               CASE c.answer WHEN 1 THEN {_COMPLETED} WHEN 2 THEN {_RELEASE} END,
               CASE WHEN c.answer = 1 AND NOT c.is_debit THEN c.used_units ELSE 0 END,
               CASE WHEN c.answer = 1 AND c.is_debit THEN c.received_units ELSE 0 END)))
    """,
    "what is owed for such conversions is what was fixed when they were begun": f"""
        SELECT t.transfer_id, owed.in_micros, owed.spread_micros, owed.fee_micros, c.in_price_micros, c.out_price_micros
        FROM exchange.transfers t
        LEFT JOIN exchange.external_conversions c ON c.bucket = t.bucket AND c.conversion_id = t.original_id
        CROSS JOIN LATERAL (SELECT coalesce(sum(micros) FILTER (WHERE kind = {_CONVERSION}), 0) AS in_micros,
                                   coalesce(sum(micros) FILTER (WHERE kind = {_SPREAD}), 0) AS spread_micros,
                                   coalesce(sum(micros) FILTER (WHERE kind = {_FEE}), 0) AS fee_micros
                            FROM unnest(t.obligations)) owed
        LEFT JOIN exchange.currencies s ON s.currency_no = c.source_no
        LEFT JOIN exchange.currencies g ON g.currency_no = c.target_no
        CROSS JOIN exchange.coalition o
        WHERE t.kind = {_COMPLETED} AND (c.conversion_id IS NULL
           OR (s.issuer_no <> g.issuer_no AND owed.in_micros <> c.received_units::numeric * c.in_price_micros)
           OR (s.issuer_no <> o.operator_no
               AND (owed.spread_micros <> c.used_units::numeric * c.out_price_micros
                                        - c.received_units::numeric * c.in_price_micros
                    OR owed.fee_micros <> c.fee_micros)))
    """,
    "no points move here of a currency that its issuer keeps": f"""
        SELECT transfer_id, currency_no, occurred_at, x.since
        FROM exchange.external_ledgers x JOIN {LEGS} l USING (currency_no)
        WHERE occurred_at > x.since AND occurred_at > (SELECT min(since) FROM exchange.external_ledgers)
    """,
    "a quote used with an issuer's own ledger is what was fixed": """
        SELECT c.conversion_id, q.quote_id, c.used_units, q.used_units AS quoted
        FROM exchange.quote_uses u
        JOIN exchange.quotes q USING (bucket, quote_id)
        JOIN exchange.external_conversions c ON c.bucket = u.bucket AND c.conversion_id = u.transfer_id
        WHERE (c.merchant_no, c.member_id, c.rate_id, c.source_no, c.target_no, c.used_units, c.received_units,
               c.fee_micros, c.out_price_micros, c.in_price_micros)
           IS DISTINCT FROM
              (q.merchant_no, q.member_id, q.rate_id, q.source_no, q.target_no, q.used_units, q.received_units,
               q.fee_micros, q.out_price_micros, q.in_price_micros)
    """,
}
