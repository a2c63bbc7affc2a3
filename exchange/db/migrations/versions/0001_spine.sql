CREATE SCHEMA IF NOT EXISTS exchange;

-- The role the server works under: it may add history and never change or delete it.
DO $$
BEGIN
    CREATE ROLE exchange_server NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- ------------------------------------------------------------------------------------------------ directory
CREATE TABLE exchange.merchants (
    merchant_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id text NOT NULL,
    display_name text NOT NULL,
    roles smallint[] NOT NULL,
    cash_agent boolean NOT NULL DEFAULT false,
    suspended boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX merchants_by_id ON exchange.merchants (lower(merchant_id));

-- One row: who operates, what day it is, which version of the directory holds, and the sandbox's shifted clock.
CREATE TABLE exchange.coalition (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    operator_no integer NOT NULL REFERENCES exchange.merchants,
    time_zone text NOT NULL,
    directory_version bigint NOT NULL DEFAULT 1,
    clock_offset interval NOT NULL DEFAULT '0',
    halted_at timestamptz,
    page_secret bytea NOT NULL
);

CREATE TABLE exchange.currencies (
    currency_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    issuer_no integer NOT NULL REFERENCES exchange.merchants,
    display_name text NOT NULL,
    settlement_currency text NOT NULL,
    expiry_kind smallint NOT NULL,
    expiry_days integer NOT NULL DEFAULT 0,
    breakage_share_bps integer NOT NULL DEFAULT 0 CHECK (breakage_share_bps BETWEEN 0 AND 10000),
    negative_balances boolean NOT NULL DEFAULT false,
    suspended boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);

CREATE TABLE exchange.prices (
    currency_no integer NOT NULL REFERENCES exchange.currencies,
    price_no integer NOT NULL,
    effective_at timestamptz NOT NULL,
    issue_micros bigint NOT NULL CHECK (issue_micros >= 0),
    redeem_micros bigint NOT NULL CHECK (redeem_micros >= 0),
    conversion_in_micros bigint NOT NULL CHECK (conversion_in_micros >= 0),
    conversion_out_micros bigint NOT NULL CHECK (conversion_out_micros >= 0),
    cash_out_micros bigint NOT NULL CHECK (cash_out_micros >= 0),
    cash_out_fee_bps integer NOT NULL CHECK (cash_out_fee_bps BETWEEN 0 AND 10000),
    published_at timestamptz NOT NULL,
    PRIMARY KEY (currency_no, price_no),
    UNIQUE (currency_no, effective_at)
);

CREATE TABLE exchange.rates (
    rate_id uuid PRIMARY KEY,
    source_no integer NOT NULL REFERENCES exchange.currencies,
    target_no integer NOT NULL REFERENCES exchange.currencies,
    source_units bigint NOT NULL CHECK (source_units > 0),
    target_units bigint NOT NULL CHECK (target_units > 0),
    block_units bigint NOT NULL CHECK (block_units > 0),
    minimum_units bigint NOT NULL CHECK (minimum_units >= 0),
    maximum_units bigint NOT NULL CHECK (maximum_units >= 0),
    bonus_every_units bigint NOT NULL CHECK (bonus_every_units >= 0),
    bonus_units bigint NOT NULL CHECK (bonus_units >= 0),
    fee_micros bigint NOT NULL CHECK (fee_micros >= 0),
    fee_per_point_micros bigint NOT NULL CHECK (fee_per_point_micros >= 0),
    fee_cap_micros bigint NOT NULL CHECK (fee_cap_micros >= 0),
    member_daily_cap_units bigint NOT NULL CHECK (member_daily_cap_units >= 0),
    effective_at timestamptz NOT NULL,
    ends_at timestamptz,
    published_at timestamptz NOT NULL,
    CHECK (source_no <> target_no),
    CHECK (ends_at IS NULL OR ends_at >= effective_at)
);

CREATE INDEX rates_by_pair ON exchange.rates (source_no, target_no, effective_at);

CREATE TABLE exchange.api_keys (
    key_id uuid PRIMARY KEY,
    secret_hash bytea NOT NULL UNIQUE,
    caller_role smallint NOT NULL,
    merchant_no integer REFERENCES exchange.merchants,
    display_name text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL,
    CHECK ((caller_role = 1) = (merchant_no IS NOT NULL))
);

-- Who did what, why, before and after. Only ever added to.
CREATE TABLE exchange.audit_log (
    entry_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL DEFAULT '',
    before jsonb,
    after jsonb
);

-- ------------------------------------------------------------------------------------------------ members
-- bucket = stable hash of the member, mod 1024: the first column of every key that grows with members, so that the
-- same schema spreads over machines.
CREATE TABLE exchange.members (
    bucket smallint NOT NULL CHECK (bucket BETWEEN 0 AND 1023),
    member_id uuid NOT NULL,
    enrolled_by integer NOT NULL REFERENCES exchange.merchants,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, member_id)
);

CREATE TABLE exchange.member_links (
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    reference text NOT NULL,
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_no, reference),
    UNIQUE (merchant_no, member_id)
);

-- ------------------------------------------------------------------------------------------------ ledger
CREATE SEQUENCE exchange.ledger_blocks;

CREATE TABLE exchange.accounts (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    available_units bigint NOT NULL DEFAULT 0,
    last_sequence bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, member_id, currency_no)
) WITH (fillfactor = 70);

CREATE TABLE exchange.lots (
    bucket smallint NOT NULL,
    lot_id uuid NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    units bigint NOT NULL CHECK (units > 0),
    remaining_units bigint NOT NULL CHECK (remaining_units BETWEEN 0 AND units),
    funder_no integer NOT NULL,
    price_micros bigint NOT NULL,
    earned_at timestamptz NOT NULL,
    expires_at timestamptz,
    transfer_id uuid NOT NULL,
    is_open boolean NOT NULL DEFAULT true,
    PRIMARY KEY (bucket, lot_id)
) WITH (fillfactor = 85);

-- The order of spending. is_open, not remaining_units > 0: a lot that is only partly spent then stays a cheap update.
CREATE INDEX lots_in_spending_order ON exchange.lots
    (bucket, member_id, currency_no, expires_at, earned_at, lot_id) WHERE is_open;

CREATE TYPE exchange.points_leg AS (
    account smallint,
    side smallint,
    currency_no integer,
    units bigint,
    account_sequence bigint,
    lot_id uuid
);

CREATE TYPE exchange.obligation AS (
    kind smallint,
    debtor_no integer,
    creditor_no integer,
    currency_code text,
    micros bigint,
    points_units bigint,
    price_micros bigint
);

-- One wide row a transfer: its legs and obligations stand in it, because rows of their own would triple what is logged.
CREATE TABLE exchange.transfers (
    bucket smallint NOT NULL,
    transfer_id uuid NOT NULL,
    kind smallint NOT NULL,
    merchant_no integer NOT NULL,
    member_id uuid NOT NULL,
    request_id text NOT NULL,
    reference text,
    occurred_at timestamptz NOT NULL,
    ledger_sequence bigint NOT NULL,
    window_no bigint NOT NULL,
    rate_id uuid,
    legs exchange.points_leg[] NOT NULL,
    obligations exchange.obligation[] NOT NULL,
    PRIMARY KEY (bucket, transfer_id)
);

CREATE INDEX transfers_by_merchant ON exchange.transfers (merchant_no, ledger_sequence);

CREATE INDEX transfers_by_member ON exchange.transfers (bucket, member_id, ledger_sequence);

CREATE INDEX transfers_by_reference ON exchange.transfers (merchant_no, reference) WHERE reference IS NOT NULL;

CREATE INDEX transfers_by_window ON exchange.transfers USING brin (window_no) WITH (pages_per_range = 16);

-- What a batch hands over, named apart from the table so that the table can grow columns under running servers.
CREATE TYPE exchange.new_transfer AS (
    bucket smallint,
    transfer_id uuid,
    kind smallint,
    merchant_no integer,
    member_id uuid,
    request_id text,
    reference text,
    occurred_at timestamptz,
    ledger_sequence bigint,
    window_no bigint,
    rate_id uuid,
    legs exchange.points_leg[],
    obligations exchange.obligation[]
);

CREATE TYPE exchange.new_lot AS (
    bucket smallint,
    lot_id uuid,
    member_id uuid,
    currency_no integer,
    units bigint,
    remaining_units bigint,
    funder_no integer,
    price_micros bigint,
    earned_at timestamptz,
    expires_at timestamptz,
    transfer_id uuid
);

-- One key, one answer, for ever. The bucket is the key's own: a key must be unique across members.
CREATE TABLE exchange.request_keys (
    bucket smallint NOT NULL,
    merchant_no integer NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    transfer_bucket smallint,
    transfer_id uuid,
    refusal jsonb,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, merchant_no, request_id),
    CHECK ((transfer_id IS NULL) <> (refusal IS NULL)),
    CHECK ((transfer_id IS NULL) = (transfer_bucket IS NULL))
);

CREATE TYPE exchange.new_request_key AS (
    bucket smallint,
    merchant_no integer,
    request_id text,
    fingerprint bytea,
    transfer_bucket smallint,
    transfer_id uuid,
    refusal jsonb
);

-- What a member used of a pair on a day of the coalition's time zone; guarded by the lock on the source account.
CREATE TABLE exchange.daily_conversions (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    source_no integer NOT NULL,
    target_no integer NOT NULL,
    day date NOT NULL,
    used_units bigint NOT NULL,
    PRIMARY KEY (bucket, member_id, source_no, target_no, day)
);

-- ------------------------------------------------------------------------------------------------ windows
CREATE TABLE exchange.clearing_windows (
    window_no bigint PRIMARY KEY CHECK (window_no > 0),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);

CREATE UNIQUE INDEX one_open_window ON exchange.clearing_windows ((true)) WHERE closed_at IS NULL;

-- Kept while posting, one slice for each poster, so that no two posters wait for one another's pair.
CREATE TABLE exchange.window_totals (
    window_no bigint NOT NULL,
    slice integer NOT NULL,
    debtor_no integer NOT NULL,
    creditor_no integer NOT NULL,
    currency_code text NOT NULL,
    kind smallint NOT NULL,
    micros numeric(38) NOT NULL,
    obligations bigint NOT NULL,
    PRIMARY KEY (window_no, slice, debtor_no, creditor_no, currency_code, kind)
) WITH (fillfactor = 50);

-- ------------------------------------------------------------------------------------------------ published views
CREATE VIEW exchange.clearing_windows_v1 AS
SELECT window_no, opened_at, closed_at, closed_by FROM exchange.clearing_windows;

CREATE VIEW exchange.clearing_totals_v1 AS
SELECT t.window_no, d.merchant_id AS debtor, c.merchant_id AS creditor, t.currency_code, t.kind,
       sum(t.micros) AS micros, sum(t.obligations)::bigint AS obligations
FROM exchange.window_totals t
JOIN exchange.merchants d ON d.merchant_no = t.debtor_no
JOIN exchange.merchants c ON c.merchant_no = t.creditor_no
GROUP BY t.window_no, d.merchant_id, c.merchant_id, t.currency_code, t.kind;

CREATE VIEW exchange.clearing_entries_v1 AS
SELECT t.window_no, t.ledger_sequence, t.transfer_id, t.bucket, t.occurred_at, o.position,
       o.kind, d.merchant_id AS debtor, c.merchant_id AS creditor, o.currency_code, o.micros, o.points_units, o.price_micros
FROM exchange.transfers t
CROSS JOIN LATERAL unnest(t.obligations) WITH ORDINALITY AS o
    (kind, debtor_no, creditor_no, currency_code, micros, points_units, price_micros, position)
JOIN exchange.merchants d ON d.merchant_no = o.debtor_no
JOIN exchange.merchants c ON c.merchant_no = o.creditor_no;

CREATE VIEW exchange.points_entries_v1 AS
SELECT t.bucket, t.member_id, t.ledger_sequence, t.transfer_id, t.kind AS transfer_kind, t.window_no, t.occurred_at,
       l.account, l.side, l.currency_no, l.units, l.account_sequence, l.lot_id
FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.legs) AS l;

CREATE FUNCTION exchange.coalition_now() RETURNS timestamptz LANGUAGE sql STABLE
AS 'SELECT clock_timestamp() + clock_offset FROM exchange.coalition';

-- ------------------------------------------------------------------------------------------------ permissions
GRANT USAGE ON SCHEMA exchange TO exchange_server;

GRANT SELECT ON ALL TABLES IN SCHEMA exchange TO exchange_server;

GRANT INSERT ON ALL TABLES IN SCHEMA exchange TO exchange_server;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA exchange TO exchange_server;

GRANT UPDATE ON exchange.merchants, exchange.coalition, exchange.currencies, exchange.api_keys, exchange.accounts,
    exchange.daily_conversions, exchange.clearing_windows, exchange.window_totals TO exchange_server;

GRANT UPDATE (ends_at) ON exchange.rates TO exchange_server;

GRANT UPDATE (remaining_units, is_open) ON exchange.lots TO exchange_server;

REVOKE INSERT ON exchange.coalition FROM exchange_server
