-- Whoever could open a window again, move when it was closed, or let one begin earlier could choose what a cut-off holds.
CREATE FUNCTION exchange.check_window() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.closed_at IS NOT NULL THEN
            RAISE EXCEPTION 'window % is closed for ever', OLD.window_no USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.closed_at IS NOT NULL OR (EXISTS (SELECT FROM exchange.clearing_windows) AND NOT EXISTS (
            SELECT FROM exchange.clearing_windows w
            WHERE w.window_no = NEW.window_no - 1 AND w.closed_at = NEW.opened_at)) THEN
        RAISE EXCEPTION 'window % does not begin where the one before ends', NEW.window_no
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_window BEFORE INSERT OR UPDATE OF closed_at, closed_by ON exchange.clearing_windows
    FOR EACH ROW EXECUTE FUNCTION exchange.check_window()
