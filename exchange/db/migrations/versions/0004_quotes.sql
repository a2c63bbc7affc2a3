-- What a merchant was promised for one conversion of one member. Only ever added to; the id's last ten bits are the bucket.
CREATE TABLE exchange.quotes (
    bucket smallint NOT NULL,
    quote_id uuid NOT NULL,
    merchant_no integer NOT NULL,
    member_id uuid NOT NULL,
    rate_id uuid NOT NULL,
    source_no integer NOT NULL,
    target_no integer NOT NULL,
    used_units bigint NOT NULL CHECK (used_units > 0),
    received_units bigint NOT NULL CHECK (received_units > 0),
    fee_micros bigint NOT NULL CHECK (fee_micros >= 0),
    out_price_micros bigint NOT NULL CHECK (out_price_micros >= 0),
    in_price_micros bigint NOT NULL CHECK (in_price_micros >= 0),
    member_daily_cap_units bigint NOT NULL CHECK (member_daily_cap_units >= 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    PRIMARY KEY (bucket, quote_id)
);

-- Which transfer used a quote up. Guarded by the lock on the member's source account; the keys are the second lock.
CREATE TABLE exchange.quote_uses (
    bucket smallint NOT NULL,
    quote_id uuid NOT NULL,
    transfer_id uuid NOT NULL,
    PRIMARY KEY (bucket, quote_id),
    UNIQUE (bucket, transfer_id)
);

GRANT SELECT, INSERT ON exchange.quotes, exchange.quote_uses TO exchange_server
