-- One conversion by hand, for pgbench: two balances, the wide row and the key row, in one statement and one commit.
\set member random(1, 5000)
\set received random(1, 100)
WITH source AS (
    UPDATE wide.accounts
    SET available_units = available_units - :received::bigint * 30, last_sequence = last_sequence + 1
    WHERE bucket = :member::integer % 1024 AND member_id = lpad(to_hex(:member::integer), 32, '0')::uuid
      AND currency_no = 1 AND available_units >= :received::bigint * 30
    RETURNING bucket, member_id, last_sequence
), target AS (
    UPDATE wide.accounts
    SET available_units = available_units + :received::bigint, last_sequence = last_sequence + 1
    WHERE bucket = :member::integer % 1024 AND member_id = lpad(to_hex(:member::integer), 32, '0')::uuid
      AND currency_no = 2
    RETURNING last_sequence
), moved AS (
    INSERT INTO wide.transfers
        (bucket, transfer_id, kind, merchant_no, member_id, request_id, occurred_at, ledger_sequence, window_no,
         rate_id, source_no, used_units, source_sequence, target_no, received_units, target_sequence, debtor_no,
         creditor_no, currency_code, conversion_micros, price_micros, spread_micros, fee_micros)
    SELECT source.bucket, gen_random_uuid(), 4, 1, source.member_id, gen_random_uuid()::text, now(),
         nextval('wide.ledger_sequences'), 1, '01900000-0000-7000-8000-000000000001', 1, :received::bigint * 30,
         source.last_sequence, 2, :received::bigint, target.last_sequence, 1, 2, 'CNY', :received::bigint * 55000,
         55000, :received::bigint * 5000, 1000
    FROM source, target
    RETURNING bucket, transfer_id, merchant_no, request_id
)
INSERT INTO wide.request_keys (bucket, merchant_no, request_id, fingerprint, transfer_id, decided_at)
SELECT bucket, merchant_no, request_id, sha256(request_id::bytea), transfer_id, now() FROM moved;
