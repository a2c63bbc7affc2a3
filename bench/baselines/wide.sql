-- Tables of the hand-written yardsticks: the exchange's rows and indexes without its rules, checks and types.
CREATE SCHEMA wide;

CREATE SEQUENCE wide.ledger_sequences CACHE 100;

CREATE TABLE wide.accounts (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    available_units bigint NOT NULL,
    last_sequence bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, member_id, currency_no)
) WITH (fillfactor = 70);

CREATE TABLE wide.lots (
    bucket smallint NOT NULL,
    lot_id uuid NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    units bigint NOT NULL,
    remaining_units bigint NOT NULL,
    funder_no integer NOT NULL,
    price_micros bigint NOT NULL,
    earned_at timestamptz NOT NULL,
    expires_at timestamptz,
    transfer_id uuid NOT NULL,
    PRIMARY KEY (bucket, lot_id)
) WITH (fillfactor = 85);

CREATE INDEX ON wide.lots (bucket, member_id, currency_no, expires_at, earned_at, lot_id) WHERE remaining_units > 0;

-- One wide row a conversion: both legs and the three obligations in plain columns.
CREATE TABLE wide.transfers (
    bucket smallint NOT NULL,
    transfer_id uuid NOT NULL,
    kind smallint NOT NULL,
    merchant_no integer NOT NULL,
    member_id uuid NOT NULL,
    request_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    ledger_sequence bigint NOT NULL,
    window_no bigint NOT NULL,
    rate_id uuid NOT NULL,
    source_no integer NOT NULL,
    used_units bigint NOT NULL,
    source_sequence bigint NOT NULL,
    source_lot uuid,
    target_no integer NOT NULL,
    received_units bigint NOT NULL,
    target_sequence bigint NOT NULL,
    target_lot uuid,
    debtor_no integer NOT NULL,
    creditor_no integer NOT NULL,
    currency_code text NOT NULL,
    conversion_micros bigint NOT NULL,
    price_micros bigint NOT NULL,
    spread_micros bigint NOT NULL,
    fee_micros bigint NOT NULL,
    PRIMARY KEY (bucket, transfer_id)
);

CREATE INDEX ON wide.transfers (merchant_no, ledger_sequence);

CREATE INDEX ON wide.transfers (bucket, member_id, ledger_sequence);

CREATE TABLE wide.request_keys (
    bucket smallint NOT NULL,
    merchant_no integer NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    transfer_id uuid NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, merchant_no, request_id)
);

-- Five thousand members, numbered from 1, with points of currencies 1 and 2 and a lot of the first.
INSERT INTO wide.accounts (bucket, member_id, currency_no, available_units)
SELECT number % 1024, lpad(to_hex(number), 32, '0')::uuid, currency_no, 1000000000000
FROM generate_series(1, 5000) AS number, generate_series(1, 2) AS currency_no
ORDER BY 1, 2, 3;

INSERT INTO wide.lots (bucket, lot_id, member_id, currency_no, units, remaining_units, funder_no, price_micros, earned_at,
    transfer_id)
SELECT bucket, member_id, member_id, 1, available_units, available_units, 1, 2500, now(), member_id
FROM wide.accounts WHERE currency_no = 1;

VACUUM ANALYZE wide.accounts, wide.lots;
