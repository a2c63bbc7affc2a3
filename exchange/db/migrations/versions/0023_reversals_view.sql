-- What later transfers gave back of a transfer's obligations, the other way round. Ask by bucket and original: the
-- member's index finds what follows.
CREATE VIEW exchange.clearing_reversals_v1 AS
SELECT t.bucket, t.transfer_id AS original_id, r.transfer_id, r.window_no, d.merchant_id AS debtor,
       c.merchant_id AS creditor, o.currency_code, o.micros
FROM exchange.transfers t
JOIN exchange.transfers r ON r.bucket = t.bucket AND r.member_id = t.member_id
    AND r.ledger_sequence > t.ledger_sequence AND r.original_id = t.transfer_id
CROSS JOIN LATERAL unnest(r.obligations) AS o
JOIN exchange.merchants d ON d.merchant_no = o.debtor_no
JOIN exchange.merchants c ON c.merchant_no = o.creditor_no;

GRANT SELECT ON exchange.clearing_reversals_v1 TO exchange_server
