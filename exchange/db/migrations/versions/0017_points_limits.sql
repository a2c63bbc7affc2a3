-- 0: no such limit. What happened before counting began is not in the counts, and giving it back changes none.
CREATE TABLE exchange.points_limits (
    currency_no integer PRIMARY KEY REFERENCES exchange.currencies,
    member_earn_units bigint NOT NULL CHECK (member_earn_units >= 0),
    member_use_units bigint NOT NULL CHECK (member_use_units >= 0),
    issuance_units bigint NOT NULL CHECK (issuance_units >= 0),
    members_since timestamptz NOT NULL,
    issuance_since timestamptz NOT NULL
);

-- What a member was given and used on a day of the coalition's time zone; guarded by the lock on the account.
CREATE TABLE exchange.member_days (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    day date NOT NULL,
    earned_units bigint NOT NULL CHECK (earned_units >= 0),
    used_units bigint NOT NULL CHECK (used_units >= 0),
    PRIMARY KEY (bucket, member_id, currency_no, day)
);

-- What was made of a currency on a day: the one row its awards wait for, locked after accounts and budgets.
CREATE TABLE exchange.issuance_days (
    currency_no integer NOT NULL REFERENCES exchange.currencies,
    day date NOT NULL,
    issued_units bigint NOT NULL CHECK (issued_units >= 0),
    PRIMARY KEY (currency_no, day)
) WITH (fillfactor = 20);

GRANT SELECT, INSERT ON exchange.points_limits, exchange.member_days, exchange.issuance_days TO exchange_server;

GRANT UPDATE (member_earn_units, member_use_units, issuance_units, members_since, issuance_since)
    ON exchange.points_limits TO exchange_server;

GRANT UPDATE (earned_units, used_units) ON exchange.member_days TO exchange_server;

GRANT UPDATE (issued_units) ON exchange.issuance_days TO exchange_server
