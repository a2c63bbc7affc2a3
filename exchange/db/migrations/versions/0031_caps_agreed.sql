-- In which transaction a change of a cap was approved: that one carries it out, and no later one does it again.
ALTER TABLE exchange.cap_changes ADD COLUMN approved_in xid8;

-- A change is proposed before it is decided, and what was decided stays decided.
CREATE OR REPLACE FUNCTION exchange.check_cap_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 1 THEN
            RAISE EXCEPTION 'change % of a cap was never proposed', NEW.change_id USING ERRCODE = 'check_violation';
        END IF;
        NEW.approved_in := NULL;
        RETURN NEW;
    END IF;
    IF OLD.state <> 1 THEN
        RAISE EXCEPTION 'change % of a cap is decided', OLD.change_id USING ERRCODE = 'check_violation';
    END IF;
    NEW.approved_in := CASE WHEN NEW.state = 2 THEN pg_current_xact_id() END;
    RETURN NEW;
END $$;

CREATE TRIGGER check_new_cap_change BEFORE INSERT ON exchange.cap_changes
    FOR EACH ROW EXECUTE FUNCTION exchange.check_cap_change();

-- Caps that follow what merchants left with the clearing house. Nobody may write here until whoever clears says by what
-- rule: the exchange itself knows no such caps.
CREATE TABLE exchange.cap_bindings (
    binding_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    currency_code text NOT NULL,
    cap_micros bigint NOT NULL CHECK (cap_micros >= 0),
    bound_in xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE INDEX cap_bindings_by_transaction ON exchange.cap_bindings (bound_in);

-- Whoever lets a merchant owe more past the code is stopped when the transaction ends.
CREATE FUNCTION exchange.check_cap() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    wanted bigint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        wanted := NEW.cap_micros;
    END IF;
    IF NOT EXISTS (
        SELECT FROM exchange.cap_changes c
        WHERE c.merchant_no = OLD.merchant_no AND c.currency_code = OLD.currency_code
            AND c.state = 2 AND c.approved_in = pg_current_xact_id()
            AND c.before_micros = OLD.cap_micros AND c.cap_micros IS NOT DISTINCT FROM wanted)
        AND NOT EXISTS (
        SELECT FROM exchange.cap_bindings b
        WHERE b.merchant_no = OLD.merchant_no AND b.currency_code = OLD.currency_code
            AND b.bound_in = pg_current_xact_id() AND b.cap_micros = wanted) THEN
        RAISE EXCEPTION 'nobody agreed that merchant % may owe more %', OLD.merchant_no, OLD.currency_code
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER check_raised_cap AFTER UPDATE OF cap_micros ON exchange.exposures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.cap_micros > OLD.cap_micros)
    EXECUTE FUNCTION exchange.check_cap();

CREATE CONSTRAINT TRIGGER check_removed_cap AFTER DELETE ON exchange.exposures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION exchange.check_cap();

GRANT SELECT ON exchange.cap_bindings TO exchange_server
