-- Who has left the coalition for good, as whoever clears certified it. What a reversal would owe it, the operator gets.
CREATE TABLE exchange.departures (
    merchant_no integer PRIMARY KEY REFERENCES exchange.merchants,
    at timestamptz NOT NULL
);

CREATE FUNCTION exchange.check_departure() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT (SELECT suspended FROM exchange.merchants WHERE merchant_no = NEW.merchant_no)
        OR NEW.merchant_no = (SELECT operator_no FROM exchange.coalition) THEN
        RAISE EXCEPTION 'merchant % is active, or operates', NEW.merchant_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_departure BEFORE INSERT ON exchange.departures
    FOR EACH ROW EXECUTE FUNCTION exchange.check_departure();

CREATE FUNCTION exchange.check_stays_suspended() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT NEW.suspended AND EXISTS (SELECT FROM exchange.departures WHERE merchant_no = NEW.merchant_no) THEN
        RAISE EXCEPTION 'merchant % has left', NEW.merchant_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_stays_suspended BEFORE UPDATE OF suspended ON exchange.merchants
    FOR EACH ROW EXECUTE FUNCTION exchange.check_stays_suspended();

GRANT SELECT, INSERT ON exchange.departures TO exchange_server
