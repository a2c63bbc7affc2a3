-- What commits to a closed window: the roots of the trees of its obligations and pairs, bound to the head before.
CREATE TABLE settlement.window_heads (
    window_no bigint PRIMARY KEY,
    closed text NOT NULL,
    previous text NOT NULL CHECK (previous ~ '^[0-9a-f]{64}$'),
    items bigint NOT NULL CHECK (items >= 0),
    items_root text NOT NULL CHECK (items_root ~ '^[0-9a-f]{64}$'),
    pairs bigint NOT NULL CHECK (pairs >= 0),
    pairs_root text NOT NULL CHECK (pairs_root ~ '^[0-9a-f]{64}$'),
    head text NOT NULL CHECK (head = encode(sha256(convert_to(
        concat_ws('|', 'windows/' || window_no, closed, previous, items, items_root, pairs, pairs_root), 'UTF8')), 'hex')),
    made_at timestamptz NOT NULL
);

-- Of closed windows only, one after the other, each bound to the one before and as large as what was kept of it.
CREATE FUNCTION settlement.check_window_head() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NOT EXISTS (SELECT FROM exchange.clearing_windows
                   WHERE window_no = NEW.window_no AND closed_at = NEW.closed::timestamptz) THEN
        RAISE EXCEPTION 'window % was not closed then', NEW.window_no USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.previous IS DISTINCT FROM (CASE WHEN NEW.window_no = 1 THEN repeat('0', 64) ELSE (
        SELECT head FROM settlement.window_heads WHERE window_no = NEW.window_no - 1) END) THEN
        RAISE EXCEPTION 'the head of window % does not follow the one before', NEW.window_no
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.items <> (SELECT coalesce(sum(obligations), 0) FROM exchange.clearing_totals_v1
                     WHERE window_no = NEW.window_no) THEN
        RAISE EXCEPTION 'window % has another number of obligations', NEW.window_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_window_head BEFORE INSERT ON settlement.window_heads
    FOR EACH ROW EXECUTE FUNCTION settlement.check_window_head();

GRANT SELECT, INSERT ON settlement.window_heads TO exchange_server
