CREATE TABLE exchange.promotions (
    promotion_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    promotion_id text NOT NULL,
    kind smallint NOT NULL,
    merchant_no integer REFERENCES exchange.merchants,
    source_no integer REFERENCES exchange.currencies,
    currency_no integer NOT NULL REFERENCES exchange.currencies,
    bonus_bps integer NOT NULL CHECK (bonus_bps >= 0),
    bonus_units bigint NOT NULL CHECK (bonus_units >= 0),
    member_cap_units bigint NOT NULL CHECK (member_cap_units >= 0),
    budget_units bigint NOT NULL CHECK (budget_units >= 0),
    effective_at timestamptz NOT NULL,
    ends_at timestamptz,
    created_at timestamptz NOT NULL,
    CHECK ((bonus_bps > 0) <> (bonus_units > 0)),
    CHECK ((kind = 2) = (source_no IS NOT NULL)),
    CHECK (source_no <> currency_no),
    CHECK (ends_at IS NULL OR ends_at >= effective_at)
);

CREATE UNIQUE INDEX promotions_by_id ON exchange.promotions (lower(promotion_id));

CREATE TABLE exchange.promotion_sponsors (
    promotion_no integer NOT NULL REFERENCES exchange.promotions,
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    share_bps integer NOT NULL CHECK (share_bps BETWEEN 1 AND 10000),
    PRIMARY KEY (promotion_no, merchant_no)
);

-- What is given of a budget: the one row of a promotion that its awards wait for, locked after all accounts.
CREATE TABLE exchange.promotion_budgets (
    promotion_no integer PRIMARY KEY REFERENCES exchange.promotions,
    budget_units bigint NOT NULL CHECK (budget_units > 0),
    used_units bigint NOT NULL CHECK (used_units BETWEEN 0 AND budget_units)
) WITH (fillfactor = 20);

-- What a member has of promotions with a cap. Guarded by the lock on the account the bonus goes to.
CREATE TABLE exchange.promotion_members (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    promotion_no integer NOT NULL,
    used_units bigint NOT NULL CHECK (used_units >= 0),
    PRIMARY KEY (bucket, member_id, promotion_no)
);

-- Bonuses given, each a lot, and what reversals took back of them. Only ever added to: caps and budgets recount from it.
CREATE TABLE exchange.bonus_entries (
    bucket smallint NOT NULL,
    lot_id uuid NOT NULL,
    transfer_id uuid NOT NULL,
    promotion_no integer NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    given_units bigint NOT NULL CHECK (given_units >= 0),
    returned_units bigint NOT NULL CHECK (returned_units >= 0),
    PRIMARY KEY (bucket, lot_id, transfer_id),
    CHECK ((given_units > 0) <> (returned_units > 0))
);

CREATE INDEX bonus_entries_by_transfer ON exchange.bonus_entries (bucket, transfer_id);

GRANT SELECT, INSERT ON exchange.promotions, exchange.promotion_sponsors, exchange.promotion_budgets,
    exchange.promotion_members, exchange.bonus_entries TO exchange_server;

GRANT UPDATE (ends_at) ON exchange.promotions TO exchange_server;

GRANT UPDATE (used_units) ON exchange.promotion_budgets, exchange.promotion_members TO exchange_server
