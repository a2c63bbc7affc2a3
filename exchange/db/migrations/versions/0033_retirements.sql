-- Partitions of transfers that leave, or have left. Written step by step by the owner of the tables, never by a server;
-- what a step wrote is never changed. to_id: ids before it are of this or of earlier ones.
CREATE TABLE exchange.retirements (
    retirement_no integer PRIMARY KEY CHECK (retirement_no > 0),
    part_name text NOT NULL UNIQUE REFERENCES exchange.ledger_parts,
    from_id uuid NOT NULL,
    to_id uuid NOT NULL UNIQUE,
    began_at timestamptz NOT NULL,
    began_by text NOT NULL CHECK (began_by <> ''),
    transfers bigint NOT NULL,
    last_sequence bigint NOT NULL,
    last_window_no bigint NOT NULL,
    last_occurred_at timestamptz NOT NULL,
    before_digest bytea NOT NULL,
    digest bytea,
    archive text,
    archive_digest bytea,
    archived_at timestamptz,
    detached_at timestamptz,
    dropped_at timestamptz,
    dropped_by text,
    CHECK (archived_at IS NULL OR (digest IS NOT NULL AND archive IS NOT NULL AND archive_digest IS NOT NULL)),
    CHECK (detached_at IS NULL OR archived_at IS NOT NULL),
    CHECK (dropped_at IS NULL OR detached_at IS NOT NULL),
    CHECK ((dropped_at IS NULL) = (dropped_by IS NULL)),
    -- What cannot be undone takes two.
    CHECK (dropped_by <> began_by)
);

CREATE FUNCTION exchange.check_retirement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.retirement_no, OLD.part_name, OLD.from_id, OLD.to_id, OLD.began_by, OLD.transfers,
                            OLD.last_sequence, OLD.last_window_no, OLD.before_digest)
                       IS DISTINCT FROM (NEW.retirement_no, NEW.part_name, NEW.from_id, NEW.to_id, NEW.began_by,
                            NEW.transfers, NEW.last_sequence, NEW.last_window_no, NEW.before_digest)
       OR (OLD.digest IS NOT NULL AND OLD.digest IS DISTINCT FROM NEW.digest)
       OR (OLD.archived_at IS NOT NULL AND (OLD.archived_at, OLD.archive_digest)
                                           IS DISTINCT FROM (NEW.archived_at, NEW.archive_digest))
       OR (OLD.detached_at IS NOT NULL AND OLD.detached_at IS DISTINCT FROM NEW.detached_at)
       OR (OLD.dropped_at IS NOT NULL AND (OLD.dropped_at, OLD.dropped_by)
                                          IS DISTINCT FROM (NEW.dropped_at, NEW.dropped_by)) THEN
        RAISE EXCEPTION 'a step of retirement % is done', OLD.retirement_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_retirement BEFORE UPDATE OR DELETE ON exchange.retirements
    FOR EACH ROW EXECUTE FUNCTION exchange.check_retirement();

-- On a partition that leaves, from its checkpoint on: a server whose clock is years behind posts nothing into it.
CREATE FUNCTION exchange.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is leaving the ledger: nothing in it changes', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;

-- What an account came to with everything that has left so far; the newest row of an account holds. missing: numbers of
-- entries below the last that are still in the ledger, which there are only if servers' clocks disagreed.
CREATE TABLE exchange.retired_accounts (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    retirement_no integer NOT NULL REFERENCES exchange.retirements,
    available_units numeric(38) NOT NULL,
    held_units numeric(38) NOT NULL,
    overdrawn_units numeric(38) NOT NULL,
    entries bigint NOT NULL,
    last_sequence bigint NOT NULL,
    missing bigint[] NOT NULL DEFAULT '{}',
    last_ledger_sequence bigint NOT NULL,
    last_occurred_at timestamptz NOT NULL,
    last_active_at timestamptz,
    PRIMARY KEY (bucket, member_id, currency_no, retirement_no)
);

-- The same of lots, but for those that come to nothing: used up, and nothing of them ended unused.
CREATE TABLE exchange.retired_lots (
    bucket smallint NOT NULL,
    lot_id uuid NOT NULL,
    retirement_no integer NOT NULL REFERENCES exchange.retirements,
    remaining_units numeric(38) NOT NULL,
    held_units numeric(38) NOT NULL,
    unused_units numeric(38) NOT NULL,
    PRIMARY KEY (bucket, lot_id, retirement_no)
);

-- What a partition's transfers left owing. A window's may lie in two partitions.
CREATE TABLE exchange.retired_pairs (
    retirement_no integer NOT NULL REFERENCES exchange.retirements,
    window_no bigint NOT NULL,
    debtor_no integer NOT NULL,
    creditor_no integer NOT NULL,
    currency_code text NOT NULL,
    kind smallint NOT NULL,
    micros numeric(38) NOT NULL,
    obligations bigint NOT NULL,
    PRIMARY KEY (retirement_no, window_no, debtor_no, creditor_no, currency_code, kind)
);

-- Points a partition's transfers brought into circulation, less those they took out of it.
CREATE TABLE exchange.retired_currencies (
    retirement_no integer NOT NULL REFERENCES exchange.retirements,
    currency_no integer NOT NULL,
    circulating_units numeric(38) NOT NULL,
    PRIMARY KEY (retirement_no, currency_no)
);

-- What a member's latest spend under a rule left; the newest row holds.
CREATE TABLE exchange.retired_carries (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    rule_id text NOT NULL,
    retirement_no integer NOT NULL REFERENCES exchange.retirements,
    carried_minor bigint NOT NULL,
    PRIMARY KEY (bucket, member_id, rule_id, retirement_no)
);

-- Of a partition's transfers by bucket: how many, and SHA-256 of their rows in the archive, of the keys they answered
-- and of the lots they made, each in the order of ids.
CREATE TABLE exchange.retired_buckets (
    retirement_no integer NOT NULL REFERENCES exchange.retirements,
    bucket smallint NOT NULL,
    transfers bigint NOT NULL,
    rows_digest bytea NOT NULL,
    keys_digest bytea NOT NULL,
    lots_digest bytea NOT NULL,
    PRIMARY KEY (retirement_no, bucket)
);

-- The newest retirement that is in force: its rows are no part of the ledger in this snapshot. Whoever sees the rows does
-- not see this, and the other way round.
CREATE VIEW exchange.retired AS
SELECT r.* FROM exchange.retirements r
WHERE r.archived_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
                  WHERE i.inhrelid = to_regclass('exchange.' || r.part_name) AND NOT i.inhdetachpending)
ORDER BY r.retirement_no DESC LIMIT 1;

CREATE VIEW exchange.carried_accounts AS
SELECT DISTINCT ON (c.bucket, c.member_id, c.currency_no) c.*
FROM exchange.retired_accounts c WHERE c.retirement_no <= (SELECT retirement_no FROM exchange.retired)
ORDER BY c.bucket, c.member_id, c.currency_no, c.retirement_no DESC;

CREATE VIEW exchange.carried_lots AS
SELECT DISTINCT ON (c.bucket, c.lot_id) c.*
FROM exchange.retired_lots c WHERE c.retirement_no <= (SELECT retirement_no FROM exchange.retired)
ORDER BY c.bucket, c.lot_id, c.retirement_no DESC;

CREATE VIEW exchange.carried_carries AS
SELECT DISTINCT ON (c.bucket, c.member_id, c.rule_id) c.*
FROM exchange.retired_carries c WHERE c.retirement_no <= (SELECT retirement_no FROM exchange.retired)
ORDER BY c.bucket, c.member_id, c.rule_id, c.retirement_no DESC;

CREATE VIEW exchange.carried_pairs AS
SELECT c.* FROM exchange.retired_pairs c WHERE c.retirement_no <= (SELECT retirement_no FROM exchange.retired);

CREATE VIEW exchange.carried_currencies AS
SELECT c.currency_no, sum(c.circulating_units) AS circulating_units
FROM exchange.retired_currencies c WHERE c.retirement_no <= (SELECT retirement_no FROM exchange.retired)
GROUP BY c.currency_no;

-- The least id that is no retired one.
CREATE FUNCTION exchange.retired_to() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT to_id FROM exchange.retired), '00000000-0000-0000-0000-000000000000')
$$;

CREATE FUNCTION exchange.keys_digests(from_id uuid, to_id uuid) RETURNS TABLE (bucket smallint, digest bytea)
LANGUAGE sql STABLE AS $$
    SELECT k.transfer_bucket, sha256(convert_to(string_agg(
        concat_ws(' ', k.transfer_id, k.merchant_no, encode(k.fingerprint, 'hex'), k.request_id), E'\n'
        ORDER BY k.transfer_id), 'UTF8'))
    FROM exchange.request_keys k WHERE k.transfer_id >= from_id AND k.transfer_id < to_id GROUP BY k.transfer_bucket
$$;

CREATE FUNCTION exchange.lots_digests(from_id uuid, to_id uuid) RETURNS TABLE (bucket smallint, digest bytea)
LANGUAGE sql STABLE AS $$
    SELECT l.bucket, sha256(convert_to(string_agg(
        concat_ws(' ', l.lot_id, l.transfer_id, l.member_id, l.currency_no, l.units, l.funder_no, l.price_micros), E'\n'
        ORDER BY l.lot_id), 'UTF8'))
    FROM exchange.lots l WHERE l.transfer_id >= from_id AND l.transfer_id < to_id GROUP BY l.bucket
$$;

-- Of everything a checkpoint says, on top of the one before it: whoever keeps this figure elsewhere can tell for ever
-- whether checkpoint or archive were touched up.
CREATE FUNCTION exchange.checkpoint_digest(no integer) RETURNS bytea LANGUAGE sql STABLE AS $$
    WITH lines AS (
        SELECT 1 AS part, a.bucket::integer AS place, string_agg(concat_ws(' ', a.member_id, a.currency_no,
            a.available_units, a.held_units, a.overdrawn_units, a.entries, a.last_sequence, a.missing,
            a.last_ledger_sequence, extract(epoch FROM a.last_occurred_at),
            coalesce(extract(epoch FROM a.last_active_at)::text, '-')),
            E'\n' ORDER BY a.member_id, a.currency_no) AS lines
        FROM exchange.retired_accounts a WHERE a.retirement_no = no GROUP BY a.bucket
        UNION ALL
        SELECT 2, l.bucket, string_agg(concat_ws(' ', l.lot_id, l.remaining_units, l.held_units, l.unused_units),
            E'\n' ORDER BY l.lot_id)
        FROM exchange.retired_lots l WHERE l.retirement_no = no GROUP BY l.bucket
        UNION ALL
        SELECT 3, 0, string_agg(concat_ws(' ', p.window_no, p.debtor_no, p.creditor_no, p.currency_code, p.kind,
            p.micros, p.obligations), E'\n'
            ORDER BY p.window_no, p.debtor_no, p.creditor_no, p.currency_code COLLATE "C", p.kind)
        FROM exchange.retired_pairs p WHERE p.retirement_no = no
        UNION ALL
        SELECT 4, 0, string_agg(concat_ws(' ', c.currency_no, c.circulating_units), E'\n' ORDER BY c.currency_no)
        FROM exchange.retired_currencies c WHERE c.retirement_no = no
        UNION ALL
        SELECT 5, c.bucket, string_agg(concat_ws(' ', c.member_id, c.carried_minor, c.rule_id), E'\n'
            ORDER BY c.member_id, c.rule_id COLLATE "C")
        FROM exchange.retired_carries c WHERE c.retirement_no = no GROUP BY c.bucket
        UNION ALL
        SELECT 6, b.bucket, concat_ws(' ', b.transfers, encode(b.rows_digest, 'hex'), encode(b.keys_digest, 'hex'),
            encode(b.lots_digest, 'hex'))
        FROM exchange.retired_buckets b WHERE b.retirement_no = no
    )
    SELECT sha256(r.before_digest || convert_to(concat_ws(' ', r.retirement_no, r.part_name, r.from_id, r.to_id,
        r.transfers, r.last_sequence, r.last_window_no, extract(epoch FROM r.last_occurred_at)), 'UTF8')
        || coalesce((SELECT string_agg(sha256(convert_to(concat_ws(' ', l.part, l.place) || E'\n' || l.lines, 'UTF8')),
                                       ''::bytea ORDER BY l.part, l.place) FROM lines l WHERE l.lines IS NOT NULL), ''))
    FROM exchange.retirements r WHERE r.retirement_no = no
$$;

GRANT SELECT ON exchange.retirements, exchange.retired_accounts, exchange.retired_lots, exchange.retired_pairs,
    exchange.retired_currencies, exchange.retired_carries, exchange.retired_buckets, exchange.retired,
    exchange.carried_accounts, exchange.carried_lots, exchange.carried_carries, exchange.carried_pairs,
    exchange.carried_currencies TO exchange_server;

-- For whoever settles: up to which window some of the transfers have left, and where they are.
CREATE VIEW exchange.retired_v1 AS
SELECT last_window_no, last_occurred_at, to_id, archive FROM exchange.retired;

GRANT SELECT ON exchange.retired_v1 TO exchange_server
