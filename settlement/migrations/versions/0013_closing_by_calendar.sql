-- Whether an instant is a currency's cut-off time of day by a calendar. When clocks are put forward over that time, the
-- instant is as much later; when they are put back, it strikes twice. Which days banks are open is in books of holidays,
-- which the database does not have.
CREATE FUNCTION settlement.is_cut_off_time(calendar jsonb, currency text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_array_elements(calendar -> 'currencies') AS one
        CROSS JOIN LATERAL (SELECT one ->> 'time_zone' AS zone, (one ->> 'cut_off')::time AS cut_off) c
        WHERE one ->> 'currency' = currency
          AND ((at AT TIME ZONE c.zone)::time = c.cut_off
               OR ((at AT TIME ZONE c.zone)::date + c.cut_off) AT TIME ZONE c.zone = at))
$$;

-- While a calendar holds, a window is closed by it or by leave, and what it was closed for stands beside it: whoever
-- closes one past the code is stopped when the transaction ends.
CREATE FUNCTION settlement.check_closing() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    present uuid := settlement.in_force('CALENDAR');
    closing settlement.window_closings;
BEGIN
    IF present IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO closing FROM settlement.window_closings WHERE window_no = NEW.window_no;
    IF closing.calendar IS DISTINCT FROM present OR closing.at IS DISTINCT FROM NEW.closed_at
        OR NEW.closed_at > exchange.coalition_now() THEN
        RAISE EXCEPTION 'window % is not closed by the calendar that holds', NEW.window_no
            USING ERRCODE = 'check_violation';
    END IF;
    IF closing.leave IS NOT NULL THEN
        IF EXISTS (SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
                   WHERE p.proposal_id = closing.leave AND p.kind = 'SPECIAL_CLOSING' AND d.verdict = 'APPROVED'
                       AND (p.content::jsonb ->> 'window_no')::bigint = NEW.window_no) THEN
            RETURN NULL;
        END IF;
    ELSIF EXISTS (
        SELECT FROM settlement.window_cut_offs c JOIN settlement.proposals p ON p.proposal_id = present
        WHERE c.window_no = NEW.window_no AND c.cut_off_at > NEW.opened_at AND c.cut_off_at <= NEW.closed_at
            AND settlement.is_cut_off_time(p.content::jsonb, c.currency_code, c.cut_off_at)) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'window % is not due, and nobody gave leave to close it', NEW.window_no
        USING ERRCODE = 'check_violation';
END $$;

CREATE CONSTRAINT TRIGGER check_closing AFTER UPDATE OF closed_at ON exchange.clearing_windows
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL)
    EXECUTE FUNCTION settlement.check_closing()
