-- Others stand in for what it says: their money was taken by it, so it is neither cancelled, rejected nor voided.
CREATE FUNCTION settlement.check_defaulted_run() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NOT settlement.is_live(NEW.to_state)
        AND EXISTS (SELECT FROM settlement.defaults d WHERE d.run_id = NEW.run_id) THEN
        RAISE EXCEPTION 'a default was declared on run %, which stands', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_defaulted_run BEFORE INSERT ON settlement.run_transitions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_defaulted_run()
