-- For whom a version is, which one it took the place of, the draft it was approved by, and when it was revoked.
ALTER TABLE exchange.rates
    ADD COLUMN tier text NOT NULL DEFAULT '',
    ADD COLUMN supersedes uuid,
    ADD COLUMN draft_id uuid,
    ADD COLUMN revoked_at timestamptz;

-- Rates proposed together. The terms never change; the state does, until somebody else approves or it is withdrawn.
CREATE TABLE exchange.rate_drafts (
    draft_id uuid PRIMARY KEY,
    merchant_no integer REFERENCES exchange.merchants,
    proposed_by text NOT NULL,
    proposed_person text,
    note text NOT NULL,
    proposed_at timestamptz NOT NULL,
    digest text NOT NULL,
    state smallint NOT NULL,
    decided_by text NOT NULL DEFAULT '',
    decided_person text,
    decided_at timestamptz,
    reason text NOT NULL DEFAULT '',
    CHECK ((decided_at IS NULL) = (decided_by = '')),
    -- What the operator proposes names a person, and whoever approves is another one.
    CHECK (merchant_no IS NOT NULL OR proposed_person IS NOT NULL),
    CHECK (state <> 3 OR (decided_person IS NOT NULL AND decided_person IS DISTINCT FROM proposed_person))
);

CREATE INDEX rate_drafts_by_merchant ON exchange.rate_drafts (merchant_no, state);

CREATE TABLE exchange.drafted_rates (
    draft_id uuid NOT NULL REFERENCES exchange.rate_drafts,
    place smallint NOT NULL,
    rate_id uuid NOT NULL UNIQUE,
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
    begins_at timestamptz,
    ends_at timestamptz,
    tier text NOT NULL,
    supersedes uuid,
    PRIMARY KEY (draft_id, place),
    CHECK (source_no <> target_no)
);

CREATE TABLE exchange.rate_bounds (
    bounds_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bonus_bps_max bigint NOT NULL CHECK (bonus_bps_max >= 0),
    margin_bps_max bigint NOT NULL CHECK (margin_bps_max >= 0),
    change_bps_max bigint NOT NULL CHECK (change_bps_max >= 0),
    fee_micros_max bigint NOT NULL CHECK (fee_micros_max >= 0),
    fee_per_point_micros_max bigint NOT NULL CHECK (fee_per_point_micros_max >= 0),
    notice_seconds_min bigint NOT NULL CHECK (notice_seconds_min >= 0),
    set_at timestamptz NOT NULL
);

GRANT UPDATE (revoked_at) ON exchange.rates TO exchange_server;

GRANT SELECT, INSERT ON exchange.rate_drafts, exchange.drafted_rates, exchange.rate_bounds TO exchange_server;

GRANT UPDATE (state, decided_by, decided_person, decided_at, reason) ON exchange.rate_drafts TO exchange_server
