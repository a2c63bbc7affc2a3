-- What the serving role changes, column by column: what is never changed cannot be.
REVOKE UPDATE ON exchange.merchants, exchange.coalition, exchange.currencies, exchange.accounts,
    exchange.daily_conversions, exchange.clearing_windows, exchange.window_totals, exchange.follow_ups,
    exchange.spend_carries FROM exchange_server;

GRANT UPDATE (roles, cash_agent, suspended) ON exchange.merchants TO exchange_server;

GRANT UPDATE (directory_version, clock_offset, halted_at) ON exchange.coalition TO exchange_server;

GRANT UPDATE (suspended) ON exchange.currencies TO exchange_server;

GRANT UPDATE (available_units, last_sequence, held_units, overdrawn_units) ON exchange.accounts TO exchange_server;

GRANT UPDATE (used_units) ON exchange.daily_conversions TO exchange_server;

GRANT UPDATE (closed_at, closed_by) ON exchange.clearing_windows TO exchange_server;

GRANT UPDATE (micros, obligations) ON exchange.window_totals TO exchange_server;

GRANT UPDATE (carried_minor) ON exchange.spend_carries TO exchange_server;

-- lapsed: of a hold, whether its time ended it and not its merchant. The spend columns: of an earn by spend, how much of
-- the money and of what it carried was taken back by reversals.
ALTER TABLE exchange.follow_ups
    ADD COLUMN lapsed boolean NOT NULL DEFAULT false,
    ADD COLUMN returned_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN uncarried_minor bigint NOT NULL DEFAULT 0;

GRANT UPDATE (done_units, ended, lapsed, returned_minor, uncarried_minor) ON exchange.follow_ups TO exchange_server;

UPDATE exchange.follow_ups f SET lapsed = true
FROM exchange.transfers r
WHERE r.kind = 9 AND r.request_id LIKE 'exchange/lapse/%' AND r.bucket = f.bucket AND r.original_id = f.transfer_id;

-- A carry that made points and is then taken back is below zero: so much must be spent again first.
ALTER TABLE exchange.spend_carries DROP CONSTRAINT spend_carries_carried_minor_check;

-- Points of a lot that ended unused: a reversal of its award neither takes them back nor lets them be owed. Guarded by
-- the lock on the member's account.
CREATE TABLE exchange.unused_points (
    bucket smallint NOT NULL,
    lot_id uuid NOT NULL,
    units bigint NOT NULL CHECK (units > 0),
    PRIMARY KEY (bucket, lot_id)
);

INSERT INTO exchange.unused_points (bucket, lot_id, units)
SELECT t.bucket, l.lot_id, sum(l.units)
FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.legs) AS l
WHERE t.kind = 11 AND l.account = 1 AND l.side = 1
GROUP BY t.bucket, l.lot_id;

GRANT SELECT, INSERT ON exchange.unused_points TO exchange_server;

GRANT UPDATE (units) ON exchange.unused_points TO exchange_server
