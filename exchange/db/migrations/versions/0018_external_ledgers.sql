-- Currencies whose issuers keep their members' balances themselves.
CREATE TABLE exchange.external_ledgers (
    currency_no integer PRIMARY KEY REFERENCES exchange.currencies,
    answer_seconds integer NOT NULL CHECK (answer_seconds > 0),
    since timestamptz NOT NULL
);

-- Conversions with such a currency: conversion_id is the transfer that began one, and the id of its debit or credit.
-- Terms never change. answer: 1 applied, 2 rejected; it is given once. transfer_id: what ended it, after the answer.
CREATE TABLE exchange.external_conversions (
    bucket smallint NOT NULL,
    conversion_id uuid NOT NULL,
    position bigint NOT NULL,
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    member_id uuid NOT NULL,
    external_no integer NOT NULL REFERENCES exchange.currencies,
    issuer_no integer NOT NULL REFERENCES exchange.merchants,
    is_debit boolean NOT NULL,
    member_reference text NOT NULL,
    answer_seconds integer NOT NULL,
    rate_id uuid NOT NULL,
    source_no integer NOT NULL REFERENCES exchange.currencies,
    target_no integer NOT NULL REFERENCES exchange.currencies,
    used_units bigint NOT NULL CHECK (used_units > 0),
    received_units bigint NOT NULL CHECK (received_units > 0),
    fee_micros bigint NOT NULL,
    out_price_micros bigint NOT NULL,
    in_price_micros bigint NOT NULL,
    created_at timestamptz NOT NULL,
    ask_at timestamptz NOT NULL,
    queries integer NOT NULL DEFAULT 0,
    answer smallint CHECK (answer IN (1, 2)),
    answered_at timestamptz,
    answer_reference text,
    answer_reason text,
    contradicted_at timestamptz,
    transfer_id uuid,
    ended_at timestamptz,
    PRIMARY KEY (bucket, conversion_id),
    CHECK (external_no = CASE WHEN is_debit THEN source_no ELSE target_no END),
    CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CHECK ((transfer_id IS NULL) = (ended_at IS NULL)),
    CHECK (transfer_id IS NULL OR answer IS NOT NULL)
);

CREATE INDEX external_conversions_unanswered ON exchange.external_conversions (ask_at) WHERE answer IS NULL;

CREATE INDEX external_conversions_to_end ON exchange.external_conversions (answered_at)
    WHERE answer IS NOT NULL AND transfer_id IS NULL;

CREATE INDEX external_conversions_open ON exchange.external_conversions (position) WHERE transfer_id IS NULL;

CREATE INDEX external_conversions_in_order ON exchange.external_conversions (position);

-- What issuers' systems were told: debits (1) and credits (2), and queries (3) of what has no answer. Never changed.
CREATE TABLE exchange.external_instructions (
    bucket smallint NOT NULL,
    instruction_id uuid NOT NULL,
    conversion_id uuid NOT NULL,
    position bigint NOT NULL,
    issuer_no integer NOT NULL REFERENCES exchange.merchants,
    kind smallint NOT NULL CHECK (kind IN (1, 2, 3)),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, instruction_id),
    CHECK ((kind = 3) = (instruction_id <> conversion_id))
);

CREATE INDEX external_instructions_in_order ON exchange.external_instructions (issuer_no, position);

CREATE INDEX external_instructions_by_conversion ON exchange.external_instructions (bucket, conversion_id);

GRANT SELECT, INSERT ON exchange.external_ledgers, exchange.external_conversions, exchange.external_instructions
    TO exchange_server;

GRANT UPDATE (answer_seconds) ON exchange.external_ledgers TO exchange_server;

GRANT UPDATE (ask_at, queries, answer, answered_at, answer_reference, answer_reason, contradicted_at, transfer_id,
    ended_at) ON exchange.external_conversions TO exchange_server;

-- What holds and begun conversions that have not ended will be owed at, when all of each is captured or completed.
CREATE OR REPLACE VIEW exchange.promised_v1 AS
SELECT t.transfer_id, c.issuer_no AS debtor_no, t.merchant_no AS creditor_no, c.settlement_currency AS currency_code,
       held.units * t.frozen_price_micros AS micros
FROM exchange.follow_ups f
JOIN exchange.transfers t USING (bucket, transfer_id)
CROSS JOIN LATERAL (SELECT l.currency_no, sum(l.units) AS units FROM unnest(t.legs) AS l
                    WHERE l.account = 3 AND l.side = 2 GROUP BY l.currency_no) held
JOIN exchange.currencies c USING (currency_no)
WHERE NOT f.ended AND f.lapses_at IS NOT NULL AND t.kind = 7 AND c.issuer_no <> t.merchant_no
UNION ALL
SELECT x.conversion_id, s.issuer_no, owed.creditor_no, s.settlement_currency, owed.micros
FROM exchange.external_conversions x
JOIN exchange.currencies s ON s.currency_no = x.source_no
JOIN exchange.currencies g ON g.currency_no = x.target_no
CROSS JOIN exchange.coalition k
CROSS JOIN LATERAL (VALUES
    (g.issuer_no, x.received_units::numeric * x.in_price_micros),
    (k.operator_no, x.used_units::numeric * x.out_price_micros - x.received_units::numeric * x.in_price_micros),
    (k.operator_no, x.fee_micros::numeric)) AS owed (creditor_no, micros)
WHERE x.transfer_id IS NULL AND s.issuer_no <> owed.creditor_no
