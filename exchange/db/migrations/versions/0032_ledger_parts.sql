-- When an id was made, and the least id of an instant: ids begin with the milliseconds of the server that made them.
CREATE FUNCTION exchange.id_at(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

CREATE FUNCTION exchange.time_of_id(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_timestamp(('x' || lpad(substr(replace(id::text, '-', ''), 1, 12), 16, '0'))::bit(64)::bigint / 1000.0)
$$;

-- Which ranges of ids the table of transfers has partitions for; from_id NULL: from the beginning. A range follows the
-- one before it. Whether a partition still is one, PostgreSQL's own catalog says.
CREATE TABLE exchange.ledger_parts (
    part_name text PRIMARY KEY,
    from_id uuid UNIQUE,
    to_id uuid NOT NULL UNIQUE,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (from_id < to_id)
);

-- The table as it is becomes the first partition: rows and indexes stay where they are, and only names change.
ALTER TABLE exchange.transfers RENAME TO transfers_first;

ALTER INDEX exchange.transfers_pkey RENAME TO transfers_first_pkey;

ALTER INDEX exchange.transfers_by_merchant RENAME TO transfers_first_by_merchant;

ALTER INDEX exchange.transfers_by_member RENAME TO transfers_first_by_member;

ALTER INDEX exchange.transfers_by_reference RENAME TO transfers_first_by_reference;

ALTER INDEX exchange.transfers_by_window RENAME TO transfers_first_by_window;

CREATE TABLE exchange.transfers (
    LIKE exchange.transfers_first INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE,
    PRIMARY KEY (bucket, transfer_id)
) PARTITION BY RANGE (transfer_id);

CREATE INDEX transfers_by_merchant ON exchange.transfers (merchant_no, ledger_sequence);

CREATE INDEX transfers_by_member ON exchange.transfers (bucket, member_id, ledger_sequence);

CREATE INDEX transfers_by_reference ON exchange.transfers (merchant_no, reference) WHERE reference IS NOT NULL;

CREATE INDEX transfers_by_window ON exchange.transfers USING brin (window_no) WITH (pages_per_range = 16);

-- It ends with this quarter of the year, or the next if that is about to begin. Every id is looked at once.
DO $$
DECLARE
    bound uuid := exchange.id_at(date_trunc('quarter', (clock_timestamp() + interval '7 days') AT TIME ZONE 'UTC'
                                            + interval '3 months') AT TIME ZONE 'UTC');
BEGIN
    EXECUTE format('ALTER TABLE exchange.transfers ATTACH PARTITION exchange.transfers_first '
                   'FOR VALUES FROM (MINVALUE) TO (%L)', bound);
    INSERT INTO exchange.ledger_parts (part_name, to_id) VALUES ('transfers_first', bound);
END $$;

-- Nobody writes to a partition but through the table.
REVOKE ALL ON exchange.transfers_first FROM exchange_server;

GRANT SELECT, INSERT ON exchange.transfers TO exchange_server;

-- Partitions of so many months for what is posted later, until so many lie ahead of this moment; how many were made.
-- Attaching an empty table holds up nobody who posts or reads. Ids are of the servers' clocks, never of a shifted one.
CREATE FUNCTION exchange.make_ledger_parts(months integer, ahead integer) RETURNS integer LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '5s' AS $$
DECLARE
    moment CONSTANT uuid := exchange.id_at(clock_timestamp());
    made integer := 0;
    last_id uuid;
    begins timestamp;
    next_id uuid;
    name text;
BEGIN
    IF months NOT IN (1, 3, 6, 12) OR ahead NOT BETWEEN 1 AND 24 THEN
        RAISE EXCEPTION 'partitions of % months, % ahead', months, ahead USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT count(*) FROM exchange.ledger_parts WHERE from_id > moment) >= ahead THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(x'7061727473'::bigint);
    WHILE (SELECT count(*) FROM exchange.ledger_parts WHERE from_id > moment) < ahead LOOP
        SELECT max(to_id::text)::uuid INTO last_id FROM exchange.ledger_parts;
        begins := exchange.time_of_id(last_id) AT TIME ZONE 'UTC';
        -- To the next of the year's cuts of so many months.
        next_id := exchange.id_at((date_trunc('year', begins) + make_interval(
            months => ((extract(month FROM begins)::integer - 1) / months + 1) * months)) AT TIME ZONE 'UTC');
        name := 'transfers_' || to_char(begins, 'YYYYMMDD');
        EXECUTE format('CREATE TABLE exchange.%I (LIKE exchange.transfers INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE exchange.transfers ATTACH PARTITION exchange.%I FOR VALUES FROM (%L) TO (%L)',
                       name, last_id, next_id);
        INSERT INTO exchange.ledger_parts (part_name, from_id, to_id) VALUES (name, last_id, next_id);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

REVOKE EXECUTE ON FUNCTION exchange.make_ledger_parts FROM PUBLIC;

GRANT EXECUTE ON FUNCTION exchange.make_ledger_parts TO exchange_server;

GRANT SELECT ON exchange.ledger_parts TO exchange_server;

SELECT exchange.make_ledger_parts(12, 2);

-- The views stood on what is the first partition now.
CREATE OR REPLACE VIEW exchange.clearing_entries_v1 AS
SELECT t.window_no, t.ledger_sequence, t.transfer_id, t.bucket, t.occurred_at, o.position,
       o.kind, d.merchant_id AS debtor, c.merchant_id AS creditor, o.currency_code, o.micros, o.points_units, o.price_micros
FROM exchange.transfers t
CROSS JOIN LATERAL unnest(t.obligations) WITH ORDINALITY AS o
    (kind, debtor_no, creditor_no, currency_code, micros, points_units, price_micros, position)
JOIN exchange.merchants d ON d.merchant_no = o.debtor_no
JOIN exchange.merchants c ON c.merchant_no = o.creditor_no;

CREATE OR REPLACE VIEW exchange.points_entries_v1 AS
SELECT t.bucket, t.member_id, t.ledger_sequence, t.transfer_id, t.kind AS transfer_kind, t.window_no, t.occurred_at,
       l.account, l.side, l.currency_no, l.units, l.account_sequence, l.lot_id
FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.legs) AS l;

CREATE OR REPLACE VIEW exchange.points_movements_v1 AS
SELECT t.window_no, t.kind, l.side, c.code AS currency, i.merchant_id AS issuer, f.merchant_id AS funder,
       c.settlement_currency AS money, l.units, p.price_micros
FROM exchange.transfers t
CROSS JOIN LATERAL unnest(t.legs) AS l
JOIN exchange.lots p ON p.bucket = t.bucket AND p.lot_id = l.lot_id
JOIN exchange.currencies c ON c.currency_no = l.currency_no
JOIN exchange.merchants i ON i.merchant_no = c.issuer_no
JOIN exchange.merchants f ON f.merchant_no = p.funder_no;

CREATE OR REPLACE VIEW exchange.clearing_reversals_v1 AS
SELECT t.bucket, t.transfer_id AS original_id, r.transfer_id, r.window_no, d.merchant_id AS debtor,
       c.merchant_id AS creditor, o.currency_code, o.micros
FROM exchange.transfers t
JOIN exchange.transfers r ON r.bucket = t.bucket AND r.member_id = t.member_id
    AND r.ledger_sequence > t.ledger_sequence AND r.original_id = t.transfer_id
CROSS JOIN LATERAL unnest(r.obligations) AS o
JOIN exchange.merchants d ON d.merchant_no = o.debtor_no
JOIN exchange.merchants c ON c.merchant_no = o.creditor_no;

CREATE OR REPLACE VIEW exchange.promised_v1 AS
SELECT t.transfer_id, c.issuer_no AS debtor_no, t.merchant_no AS creditor_no, c.settlement_currency AS currency_code,
       held.units * t.frozen_price_micros AS micros
FROM exchange.follow_ups f
JOIN exchange.transfers t USING (bucket, transfer_id)
CROSS JOIN LATERAL (SELECT l.currency_no, sum(l.units) AS units FROM unnest(t.legs) AS l
                    WHERE l.account = 3 AND l.side = 2 GROUP BY l.currency_no) held
JOIN exchange.currencies c USING (currency_no)
WHERE NOT f.ended AND f.lapses_at IS NOT NULL AND t.kind = 7 AND c.issuer_no <> t.merchant_no
UNION ALL
SELECT x.conversion_id, s.issuer_no, owed.creditor_no, s.settlement_currency, owed.micros
FROM exchange.external_conversions x
JOIN exchange.currencies s ON s.currency_no = x.source_no
JOIN exchange.currencies g ON g.currency_no = x.target_no
CROSS JOIN exchange.coalition k
CROSS JOIN LATERAL (VALUES
    (g.issuer_no, x.received_units::numeric * x.in_price_micros),
    (k.operator_no, x.used_units::numeric * x.out_price_micros - x.received_units::numeric * x.in_price_micros),
    (k.operator_no, x.fee_micros::numeric)) AS owed (creditor_no, micros)
WHERE x.transfer_id IS NULL AND s.issuer_no <> owed.creditor_no;

-- A place means something within one partition only, which ids tell: ask for one at a time.
CREATE OR REPLACE VIEW exchange.clearing_transfers_v1 AS
SELECT t.ctid AS place, t.window_no, t.obligations FROM exchange.transfers t;

CREATE VIEW exchange.clearing_transfers_v2 AS
SELECT t.ctid AS place, t.transfer_id, t.window_no, t.obligations FROM exchange.transfers t;

-- Partitions in their order: those that are some in this snapshot, with the ids they hold.
CREATE VIEW exchange.ledger_parts_v1 AS
SELECT p.part_name, coalesce(p.from_id, '00000000-0000-0000-0000-000000000000') AS from_id, p.to_id
FROM exchange.ledger_parts p
WHERE EXISTS (SELECT FROM pg_catalog.pg_inherits i
              WHERE i.inhrelid = to_regclass('exchange.' || p.part_name) AND NOT i.inhdetachpending);

GRANT SELECT ON exchange.clearing_transfers_v2, exchange.ledger_parts_v1 TO exchange_server
