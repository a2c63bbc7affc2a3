ALTER TABLE settlement.proposals DROP CONSTRAINT proposals_kind_check;

ALTER TABLE settlement.proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN
    ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING', 'FUNDS_TERMS', 'FUNDS_MOVEMENT',
     'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT'));

CREATE OR REPLACE FUNCTION settlement.stands_alone(wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT wanted IN ('SPECIAL_CLOSING', 'FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT') $$;

-- Who has left, by which certificate: the content of the proposal, named by its digest.
CREATE TABLE settlement.exits (
    participant text PRIMARY KEY,
    proposal_id uuid NOT NULL UNIQUE REFERENCES settlement.proposals,
    at timestamptz NOT NULL
);

CREATE FUNCTION settlement.check_exit() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
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
    RETURN NEW;
END $$;

CREATE TRIGGER check_exit BEFORE INSERT ON settlement.exits
    FOR EACH ROW EXECUTE FUNCTION settlement.check_exit();

-- Nothing is booked for whoever has left.
CREATE FUNCTION settlement.check_not_left() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (SELECT FROM settlement.exits WHERE participant IN (NEW.debit_participant, NEW.credit_participant)) THEN
        RAISE EXCEPTION 'posting for somebody who has left' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- After check_funds_posting, which takes turns: triggers fire in the order of their names.
CREATE TRIGGER check_not_left BEFORE INSERT ON settlement.funds_postings
    FOR EACH ROW EXECUTE FUNCTION settlement.check_not_left();

GRANT SELECT, INSERT ON settlement.exits TO exchange_server
