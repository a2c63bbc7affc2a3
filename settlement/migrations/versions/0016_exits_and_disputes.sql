CREATE OR REPLACE FUNCTION settlement.check_exit() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NOT EXISTS (
        SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
        WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'PARTICIPANT_EXIT' AND d.verdict = 'APPROVED'
          AND p.content::jsonb ->> 'participant' = NEW.participant) THEN
        RAISE EXCEPTION 'proposal % certifies no such exit', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.funds_balances
               WHERE participant = NEW.participant AND minor_units <> 0) THEN
        RAISE EXCEPTION '% still has money here', NEW.participant USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.disputes d
               WHERE NEW.participant IN (d.debtor, d.creditor)
                 AND settlement.dispute_state(d.dispute_id) IN ('OPEN', 'CONTESTED')) THEN
        RAISE EXCEPTION '% is party of a dispute that has not ended', NEW.participant USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.adjustments a
               WHERE NEW.participant IN (a.debtor, a.creditor)
                 AND a.window_no > coalesce((SELECT max(r.window_no) FROM settlement.runs r
                                             WHERE settlement.is_live(settlement.state_of(r.run_id))), 0)) THEN
        RAISE EXCEPTION 'an adjustment of % waits for its window', NEW.participant USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- What reversals overtook is not finance's to refuse, nor can a dispute be won when none was open at the exit.
CREATE FUNCTION settlement.check_sides_not_left() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (SELECT FROM settlement.exits WHERE participant IN (NEW.debtor, NEW.creditor)) THEN
        RAISE EXCEPTION '% or % has left', NEW.debtor, NEW.creditor USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- After check_dispute and check_adjustment, which take turns: triggers fire in the order of their names.
CREATE TRIGGER check_sides_not_left BEFORE INSERT ON settlement.disputes
    FOR EACH ROW EXECUTE FUNCTION settlement.check_sides_not_left();

CREATE TRIGGER check_sides_not_left BEFORE INSERT ON settlement.adjustments
    FOR EACH ROW WHEN (NEW.cause = 'AGREED') EXECUTE FUNCTION settlement.check_sides_not_left()
