-- How far a currency's cut-offs are reckoned by a calendar: after an instant and up to another, by which edition of the
-- books of holidays. Spans follow each other without a gap, and a span is written once, with everything in it.
CREATE TABLE settlement.calendar_spans (
    calendar uuid NOT NULL REFERENCES settlement.proposals,
    currency_code text NOT NULL,
    after timestamptz NOT NULL,
    until timestamptz NOT NULL,
    edition text NOT NULL,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (calendar, currency_code, until),
    CHECK (after < until)
);

-- The cut-offs of a calendar. The books of holidays are the code's; what came of them stands here, so that a later
-- edition does not move what was announced, and the database can tell a holiday without a book.
CREATE TABLE settlement.calendar_cut_offs (
    calendar uuid NOT NULL REFERENCES settlement.proposals,
    currency_code text NOT NULL,
    cut_off_at timestamptz NOT NULL,
    day date NOT NULL,
    meant date NOT NULL,
    pay_day date NOT NULL,
    PRIMARY KEY (calendar, currency_code, cut_off_at)
);

CREATE FUNCTION settlement.check_calendar_span() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    NEW.transaction_id := pg_current_xact_id();
    IF NOT EXISTS (SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
                   CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') AS one
                   WHERE p.proposal_id = NEW.calendar AND p.kind = 'CALENDAR' AND d.verdict = 'APPROVED'
                       AND one ->> 'currency' = NEW.currency_code) THEN
        RAISE EXCEPTION 'nobody agreed to a calendar % of %', NEW.calendar, NEW.currency_code
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.after <> (SELECT max(until) FROM settlement.calendar_spans
                     WHERE calendar = NEW.calendar AND currency_code = NEW.currency_code) THEN
        RAISE EXCEPTION 'the cut-offs of % are reckoned to another instant', NEW.currency_code
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_calendar_span BEFORE INSERT ON settlement.calendar_spans
    FOR EACH ROW EXECUTE FUNCTION settlement.check_calendar_span();

-- Whether a cut-off is one by what was agreed for its currency, as far as that can be told without a book of holidays.
CREATE FUNCTION settlement.is_agreed(one jsonb, kept settlement.calendar_cut_offs) RETURNS boolean LANGUAGE sql STABLE
AS $$
    WITH asked AS (
        SELECT one ->> 'time_zone' AS zone, (one ->> 'cut_off')::time AS cut_off, one ->> 'convention' AS convention,
               one -> 'open' ? (kept).day::text AS opened, one -> 'closed' ? (kept).day::text AS closed,
               jsonb_array_length(one -> 'holidays') = 0 AND extract(isodow FROM (kept).day) > 5 AS weekend
    )
    SELECT settlement.is_cut_off_time(jsonb_build_object('currencies', jsonb_build_array(one)),
                                      (kept).currency_code, (kept).cut_off_at)
        AND ((kept).day = ((kept).cut_off_at AT TIME ZONE zone)::date
             OR ((kept).day + cut_off) AT TIME ZONE zone = (kept).cut_off_at)
        AND CASE one ->> 'frequency'
            WHEN 'weekly' THEN extract(isodow FROM (kept).meant) = (one ->> 'weekday')::integer
            WHEN 'monthly' THEN extract(day FROM (kept).meant) = least((one ->> 'month_day')::integer,
                extract(day FROM date_trunc('month', (kept).meant) + interval '1 month' - interval '1 day'))
            ELSE (kept).meant = (kept).day END
        AND CASE convention
            WHEN 'unadjusted' THEN (kept).day = (kept).meant
            WHEN 'following' THEN (kept).day >= (kept).meant
            WHEN 'preceding' THEN (kept).day <= (kept).meant
            ELSE true END
        AND abs((kept).day - (kept).meant) <= 30
        AND (opened OR NOT (closed OR weekend) OR convention = 'unadjusted' AND one ->> 'frequency' <> 'daily')
        AND (kept).pay_day >= (kept).day + (one ->> 'pay_lag_days')::integer
    FROM asked
$$;

-- Nothing comes into a span after the transaction that reckoned it: whoever would close on a holiday would have had to
-- say so when the dates were reckoned, months before.
CREATE FUNCTION settlement.check_calendar_cut_off() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM settlement.calendar_spans s
                   WHERE s.calendar = NEW.calendar AND s.currency_code = NEW.currency_code
                       AND NEW.cut_off_at > s.after AND NEW.cut_off_at <= s.until
                       AND s.transaction_id = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'the cut-offs of % are reckoned already', NEW.currency_code USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM settlement.proposals p
                   CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') AS one
                   WHERE p.proposal_id = NEW.calendar AND one ->> 'currency' = NEW.currency_code
                       AND settlement.is_agreed(one, NEW)) THEN
        RAISE EXCEPTION '% is no cut-off of % by its calendar', NEW.cut_off_at, NEW.currency_code
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_calendar_cut_off BEFORE INSERT ON settlement.calendar_cut_offs
    FOR EACH ROW EXECUTE FUNCTION settlement.check_calendar_cut_off();

-- What a window was cut off for is what its calendar says for as long as it was open: each currency by its last cut-off,
-- none left out and none added, none paid too early; besides, what leave was given for.
CREATE FUNCTION settlement.require_kept_cut_offs(window_ bigint) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    closing settlement.window_closings;
    opened timestamptz;
    closed timestamptz;
BEGIN
    SELECT * INTO closing FROM settlement.window_closings WHERE window_no = window_;
    SELECT opened_at, closed_at INTO opened, closed FROM exchange.clearing_windows WHERE window_no = window_;
    IF EXISTS (SELECT FROM settlement.proposals p
               CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') AS one
               WHERE p.proposal_id = closing.calendar AND NOT EXISTS (
                   SELECT FROM settlement.calendar_spans s WHERE s.calendar = closing.calendar
                       AND s.currency_code = one ->> 'currency' AND s.until >= closed)) THEN
        RAISE EXCEPTION 'the cut-offs of window % are not reckoned', window_ USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (k.currency_code) k.currency_code, k.cut_off_at, k.pay_day
            FROM settlement.calendar_cut_offs k
            WHERE k.calendar = closing.calendar AND k.cut_off_at > opened AND k.cut_off_at <= closed
            ORDER BY k.currency_code, k.cut_off_at DESC) AS kept
        FULL JOIN (SELECT * FROM settlement.window_cut_offs WHERE window_no = window_) AS said USING (currency_code)
        WHERE CASE WHEN said.window_no IS NOT NULL AND said.cut_off_at IS NULL AND kept.cut_off_at IS NULL THEN
                NOT EXISTS (SELECT FROM settlement.proposals p WHERE p.proposal_id = closing.leave
                            AND p.content::jsonb -> 'currencies' ? currency_code)
            ELSE said.cut_off_at IS DISTINCT FROM kept.cut_off_at OR said.pay_day < kept.pay_day END) THEN
        RAISE EXCEPTION 'window % is said to be cut off for what its calendar does not say', window_
            USING ERRCODE = 'check_violation';
    END IF;
END $$;

-- While a calendar holds, a window is closed by a cut-off that is kept, or by leave; and what it was closed for stands
-- beside it: whoever closes one past the code is stopped when the transaction ends.
CREATE OR REPLACE FUNCTION settlement.check_closing() RETURNS trigger LANGUAGE plpgsql VOLATILE
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
    PERFORM settlement.require_kept_cut_offs(NEW.window_no);
    IF closing.leave IS NOT NULL THEN
        IF EXISTS (SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
                   WHERE p.proposal_id = closing.leave AND p.kind = 'SPECIAL_CLOSING' AND d.verdict = 'APPROVED'
                       AND (p.content::jsonb ->> 'window_no')::bigint = NEW.window_no) THEN
            RETURN NULL;
        END IF;
    ELSIF EXISTS (SELECT FROM settlement.window_cut_offs c
                  WHERE c.window_no = NEW.window_no AND c.cut_off_at IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'window % is not due, and nobody gave leave to close it', NEW.window_no
        USING ERRCODE = 'check_violation';
END $$;

-- Nor is a currency added to a window that was closed before.
CREATE FUNCTION settlement.check_window_cut_off() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.require_kept_cut_offs(NEW.window_no);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER check_window_cut_off AFTER INSERT ON settlement.window_cut_offs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION settlement.check_window_cut_off();

GRANT SELECT, INSERT ON settlement.calendar_spans, settlement.calendar_cut_offs TO exchange_server
