-- A version of a set of rates is a proposal like others; it replaces none and stays as it is for ever.
ALTER TABLE settlement.proposals DROP CONSTRAINT proposals_kind_check;

ALTER TABLE settlement.proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN
    ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING', 'FUNDS_TERMS', 'FUNDS_MOVEMENT',
     'DEFAULT_DECLARATION', 'FX_SET'));

CREATE OR REPLACE FUNCTION settlement.stands_alone(wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT wanted IN ('SPECIAL_CLOSING', 'FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'FX_SET') $$;

-- The newest version of a set that was approved; NULL: none was.
CREATE FUNCTION settlement.fx_set_in_force(wanted text) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT proposal_id FROM settlement.proposal_decisions d JOIN settlement.proposals p USING (proposal_id)
    WHERE p.kind = 'FX_SET' AND d.verdict = 'APPROVED' AND p.content::jsonb ->> 'name' = wanted
    ORDER BY d.order_no DESC LIMIT 1
$$;

-- After check_proposal_decision, by name: turns are taken.
CREATE FUNCTION settlement.check_proposal_fx_set() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    wanted jsonb;
    present jsonb;
BEGIN
    SELECT p.content::jsonb INTO wanted FROM settlement.proposals p
    WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'FX_SET';
    IF NEW.verdict = 'APPROVED' AND wanted IS NOT NULL THEN
        SELECT p.content::jsonb INTO present FROM settlement.proposals p
        WHERE p.proposal_id = settlement.fx_set_in_force(wanted ->> 'name');
        IF (wanted ->> 'version')::bigint <= (present ->> 'version')::bigint THEN
            RAISE EXCEPTION 'proposal % is no newer version of its set', NEW.proposal_id
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_proposal_fx_set BEFORE INSERT ON settlement.proposal_decisions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_proposal_fx_set();

-- A run converts by an approved version of a set and by no other figures: the digest is of the very set it holds.
CREATE FUNCTION settlement.check_run_fx() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NEW.configuration::jsonb ? 'fx' AND NOT EXISTS (
        SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
        WHERE p.kind = 'FX_SET' AND d.verdict = 'APPROVED' AND p.digest = NEW.configuration::jsonb #>> '{fx,digest}'
            AND p.content::jsonb = NEW.configuration::jsonb #> '{fx,set}') THEN
        RAISE EXCEPTION 'run % converts by rates that nobody approved', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_run_fx BEFORE INSERT ON settlement.runs
    FOR EACH ROW EXECUTE FUNCTION settlement.check_run_fx()
