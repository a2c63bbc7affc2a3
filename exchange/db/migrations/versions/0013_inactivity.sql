-- When an account of a currency that ends by inactivity ends, unless something is done with it: its lots carry no expiry
-- of their own, so that what is done postpones all of them by one row. is_open: it has points that could end. Guarded by
-- the account's lock.
CREATE TABLE exchange.account_ends (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    ends_at timestamptz NOT NULL,
    is_open boolean NOT NULL,
    PRIMARY KEY (bucket, member_id, currency_no)
);

CREATE INDEX accounts_to_end ON exchange.account_ends (ends_at) WHERE is_open;

GRANT SELECT, INSERT ON exchange.account_ends TO exchange_server;

GRANT UPDATE (ends_at, is_open) ON exchange.account_ends TO exchange_server
