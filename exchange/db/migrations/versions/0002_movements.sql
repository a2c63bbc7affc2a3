ALTER TABLE exchange.accounts
    ADD COLUMN held_units bigint NOT NULL DEFAULT 0,
    ADD COLUMN overdrawn_units bigint NOT NULL DEFAULT 0;

ALTER TABLE exchange.lots
    ADD COLUMN held_units bigint NOT NULL DEFAULT 0 CHECK (held_units >= 0);

CREATE INDEX lots_by_expiry ON exchange.lots (expires_at) WHERE is_open AND expires_at IS NOT NULL;

-- original_id: what a capture, release or reversal follows. expires_at and frozen_price_micros: of a hold.
-- The spend columns: of an earn by spend.
ALTER TABLE exchange.transfers
    ADD COLUMN original_id uuid,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN frozen_price_micros bigint,
    ADD COLUMN earn_rule text,
    ADD COLUMN spend_minor bigint,
    ADD COLUMN carried_minor bigint;

ALTER TYPE exchange.new_transfer ADD ATTRIBUTE original_id uuid, ADD ATTRIBUTE expires_at timestamptz,
    ADD ATTRIBUTE frozen_price_micros bigint, ADD ATTRIBUTE earn_rule text, ADD ATTRIBUTE spend_minor bigint,
    ADD ATTRIBUTE carried_minor bigint;

ALTER TYPE exchange.new_lot ADD ATTRIBUTE held_units bigint;

-- Rows a batch hands over. An array of rows costs the driver less than as many arrays of columns.
CREATE TYPE exchange.account_key AS (bucket smallint, member_id uuid, currency_no integer);

CREATE TYPE exchange.account_wish AS (bucket smallint, member_id uuid, currency_no integer, wanted numeric);

CREATE TYPE exchange.account_state AS (
    bucket smallint,
    member_id uuid,
    currency_no integer,
    available_units bigint,
    last_sequence bigint,
    held_units bigint,
    overdrawn_units bigint
);

CREATE TYPE exchange.lot_state AS (bucket smallint, lot_id uuid, remaining_units bigint, held_units bigint);

CREATE TYPE exchange.key_name AS (bucket smallint, merchant_no integer, request_id text);

-- How far what follows a transfer has gone: points captured of a hold, or reversed of anything else. Guarded by the
-- lock on the member's account.
CREATE TABLE exchange.follow_ups (
    bucket smallint NOT NULL,
    transfer_id uuid NOT NULL,
    done_units bigint NOT NULL CHECK (done_units >= 0),
    ended boolean NOT NULL,
    lapses_at timestamptz,
    PRIMARY KEY (bucket, transfer_id)
);

CREATE INDEX holds_to_lapse ON exchange.follow_ups (lapses_at) WHERE NOT ended AND lapses_at IS NOT NULL;

CREATE TABLE exchange.earn_rules (
    rule_id text PRIMARY KEY,
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    currency_no integer NOT NULL REFERENCES exchange.currencies,
    per_minor_units bigint NOT NULL CHECK (per_minor_units > 0),
    points_units bigint NOT NULL CHECK (points_units > 0),
    carry_remainder boolean NOT NULL
);

-- What a member spent under a rule and has not been given points for. Guarded by the lock on the member's account.
CREATE TABLE exchange.spend_carries (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    rule_id text NOT NULL,
    carried_minor bigint NOT NULL CHECK (carried_minor >= 0),
    PRIMARY KEY (bucket, member_id, rule_id)
);

ALTER TABLE exchange.currencies
    ADD COLUMN fiscal_year_end_month smallint NOT NULL DEFAULT 0,
    ADD COLUMN fiscal_year_end_day smallint NOT NULL DEFAULT 0,
    ADD COLUMN grace_months smallint NOT NULL DEFAULT 0;

GRANT SELECT, INSERT, UPDATE ON exchange.follow_ups, exchange.spend_carries TO exchange_server;

GRANT SELECT, INSERT ON exchange.earn_rules TO exchange_server;

GRANT UPDATE (held_units) ON exchange.lots TO exchange_server
