-- Which days of a book of holidays banks are open the database cannot tell. So that nobody writes such days down for years
-- to come, a span ends where the code ends it, and a day for clocks that were put back meanwhile.
CREATE FUNCTION settlement.check_span_horizon() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NEW.until > exchange.coalition_now() + interval '101 days' THEN
        RAISE EXCEPTION 'the cut-offs of % are reckoned too far ahead', NEW.currency_code
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_span_horizon BEFORE INSERT ON settlement.calendar_spans
    FOR EACH ROW EXECUTE FUNCTION settlement.check_span_horizon()
