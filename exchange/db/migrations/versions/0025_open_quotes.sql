-- Quotes that are neither used nor expired, to count them by merchant; expired ones are forgotten as new ones come in.
-- Nothing but the count hangs on it. Quotes from before this table are not counted: they are over within an hour.
CREATE TABLE exchange.open_quotes (
    bucket smallint NOT NULL,
    quote_id uuid NOT NULL,
    merchant_no integer NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, quote_id)
);

CREATE INDEX open_quotes_by_merchant ON exchange.open_quotes (merchant_no, expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON exchange.open_quotes TO exchange_server
