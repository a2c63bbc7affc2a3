-- A band holds from its instant until the merchant's next one. Only ever added to: what an award is told of stays the same.
CREATE TABLE exchange.return_bands (
    band_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    effective_at timestamptz NOT NULL,
    sector smallint NOT NULL,
    max_bps integer NOT NULL CHECK (max_bps > 0),
    action smallint NOT NULL
);

GRANT SELECT, INSERT ON exchange.return_bands TO exchange_server
