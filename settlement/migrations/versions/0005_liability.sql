-- What moved in a closed window never changes: it is summed once, and kept.
CREATE TABLE settlement.points_windows (
    window_no bigint PRIMARY KEY,
    summed_at timestamptz NOT NULL
);

CREATE TABLE settlement.points_movements (
    window_no bigint NOT NULL REFERENCES settlement.points_windows,
    kind smallint NOT NULL,
    currency text NOT NULL,
    issuer text NOT NULL,
    funder text NOT NULL,
    money text NOT NULL,
    added numeric NOT NULL CHECK (added >= 0),
    removed numeric NOT NULL CHECK (removed >= 0),
    added_micros numeric NOT NULL CHECK (added_micros >= 0),
    removed_micros numeric NOT NULL CHECK (removed_micros >= 0),
    PRIMARY KEY (window_no, currency, funder, kind)
);

-- A version counts from its confirmation on, by another person. Nothing here is ever changed.
CREATE TABLE settlement.breakage_estimates (
    currency text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    from_window bigint NOT NULL CHECK (from_window > 0),
    expected_bps integer NOT NULL CHECK (expected_bps BETWEEN 0 AND 9999),
    reason text NOT NULL CHECK (reason <> ''),
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    set_person text NOT NULL CHECK (set_person = lower(set_person) AND set_person <> ''),
    PRIMARY KEY (currency, version),
    UNIQUE (currency, version, set_person)
);

CREATE TABLE settlement.breakage_confirmations (
    currency text NOT NULL,
    version integer NOT NULL,
    set_person text NOT NULL,
    confirmed_at timestamptz NOT NULL,
    confirmed_by text NOT NULL,
    confirmed_person text NOT NULL CHECK (confirmed_person = lower(confirmed_person) AND confirmed_person <> ''),
    PRIMARY KEY (currency, version),
    FOREIGN KEY (currency, version, set_person)
        REFERENCES settlement.breakage_estimates (currency, version, set_person),
    CHECK (confirmed_person <> set_person)
);

GRANT SELECT, INSERT ON settlement.points_windows, settlement.points_movements, settlement.breakage_estimates,
    settlement.breakage_confirmations TO exchange_server
