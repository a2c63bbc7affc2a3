-- A month of the coalition's whose statements are being made, or were.
CREATE TABLE exchange.statement_runs (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > begins_at),
    started_at timestamptz NOT NULL CHECK (started_at >= ends_at),
    ended_at timestamptz,
    statements bigint,
    CHECK ((ended_at IS NULL) = (statements IS NULL))
);

-- Which members' statements of it are there: a part is a range of buckets.
CREATE TABLE exchange.statement_parts (
    month date NOT NULL REFERENCES exchange.statement_runs,
    part smallint NOT NULL,
    statements bigint NOT NULL,
    PRIMARY KEY (month, part)
);

CREATE TYPE exchange.statement_total AS (
    kind smallint,
    entries bigint,
    credited_units numeric,
    debited_units numeric,
    reserved_units numeric,
    unreserved_units numeric
);

-- One account in one month. Sums of a month may pass 64 bits where balances do not. Only ever added to.
CREATE TABLE exchange.member_statements (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    month date NOT NULL,
    opening_available_units bigint NOT NULL,
    opening_held_units bigint NOT NULL,
    credited_units numeric(38) NOT NULL CHECK (credited_units >= 0),
    debited_units numeric(38) NOT NULL CHECK (debited_units >= 0),
    reserved_units numeric(38) NOT NULL CHECK (reserved_units >= 0),
    unreserved_units numeric(38) NOT NULL CHECK (unreserved_units >= 0),
    closing_available_units bigint NOT NULL,
    closing_held_units bigint NOT NULL,
    entries bigint NOT NULL,
    last_sequence bigint NOT NULL,
    last_ledger_sequence bigint NOT NULL,
    totals exchange.statement_total[] NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, member_id, currency_no, month),
    CHECK (closing_available_units = opening_available_units + credited_units - debited_units),
    CHECK (closing_held_units = opening_held_units + reserved_units - unreserved_units)
);

GRANT SELECT, INSERT ON exchange.statement_runs, exchange.statement_parts, exchange.member_statements
    TO exchange_server;

GRANT UPDATE (ended_at, statements) ON exchange.statement_runs TO exchange_server
