-- The tier a merchant gave with a conversion. The rate that was applied says what it was good for; this says what was
-- asked, so that a day can be played again with other rates.
CREATE TABLE exchange.transfer_tiers (
    bucket smallint NOT NULL,
    transfer_id uuid NOT NULL,
    tier text NOT NULL,
    PRIMARY KEY (bucket, transfer_id)
);

GRANT SELECT, INSERT ON exchange.transfer_tiers TO exchange_server
