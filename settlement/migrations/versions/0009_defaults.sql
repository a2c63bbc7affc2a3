ALTER TABLE settlement.proposals DROP CONSTRAINT proposals_kind_check;

ALTER TABLE settlement.proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN
    ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING', 'FUNDS_TERMS', 'FUNDS_MOVEMENT',
     'DEFAULT_DECLARATION'));

CREATE OR REPLACE FUNCTION settlement.stands_alone(wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT wanted IN ('SPECIAL_CLOSING', 'FUNDS_MOVEMENT', 'DEFAULT_DECLARATION') $$;

-- A participant defaults on a window once.
CREATE TABLE settlement.defaults (
    participant text NOT NULL,
    window_no bigint NOT NULL,
    proposal_id uuid NOT NULL UNIQUE REFERENCES settlement.proposals,
    run_id uuid NOT NULL REFERENCES settlement.runs,
    at timestamptz NOT NULL,
    PRIMARY KEY (participant, window_no)
);

-- Whoever stands in: what is taken goes to the defaulter's cover, and from there to those it owed.
INSERT INTO settlement.funds_ways VALUES
    ('DEFAULT', 'PREFUNDING', 'DEFAULT_COVER'), ('DEFAULT', 'COLLATERAL', 'DEFAULT_COVER'),
    ('DEFAULT', 'GUARANTEE', 'DEFAULT_COVER'), ('DEFAULT', 'OPERATOR_LAYER', 'DEFAULT_COVER'),
    ('WITHDRAWAL', 'DEFAULT_COVER', 'CLEARING_ACCOUNT');

CREATE FUNCTION settlement.check_default() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NOT EXISTS (
        SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
        WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'DEFAULT_DECLARATION' AND d.verdict = 'APPROVED'
          AND p.content::jsonb ->> 'participant' = NEW.participant
          AND (p.content::jsonb ->> 'window_no')::bigint = NEW.window_no
          AND p.content::jsonb ->> 'result_digest' = (SELECT digest FROM settlement.runs r WHERE r.run_id = NEW.run_id))
    THEN
        RAISE EXCEPTION 'proposal % declares no such default', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF NOT settlement.is_approved(NEW.run_id) THEN
        RAISE EXCEPTION 'run % is not approved', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_default BEFORE INSERT ON settlement.defaults
    FOR EACH ROW EXECUTE FUNCTION settlement.check_default();

-- What was approved is posted, as it was approved, once; and no account has less than nothing.
CREATE OR REPLACE FUNCTION settlement.check_funds_posting() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    about text;
    said jsonb;
    line jsonb;
BEGIN
    PERFORM settlement.take_turns();
    SELECT p.kind, p.content::jsonb INTO about, said
    FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
    WHERE p.proposal_id = NEW.proposal_id AND p.kind IN ('FUNDS_MOVEMENT', 'DEFAULT_DECLARATION')
      AND d.verdict = 'APPROVED';
    IF about = 'FUNDS_MOVEMENT' THEN
        line := jsonb_build_object(
            'way', NEW.way, 'currency', NEW.currency_code, 'minor_units', NEW.minor_units,
            'reference', NEW.reference, 'value_date', NEW.value_date::text,
            'participant', CASE NEW.way WHEN 'DEPOSIT' THEN NEW.credit_participant ELSE NEW.debit_participant END,
            'purpose', CASE NEW.way WHEN 'DEPOSIT' THEN NEW.credit_purpose ELSE NEW.debit_purpose END);
        IF NEW.line_no <> 1 THEN
            said := NULL;
        END IF;
    ELSE
        line := jsonb_build_object(
            'way', NEW.way, 'currency', NEW.currency_code, 'minor_units', NEW.minor_units,
            'debit_participant', NEW.debit_participant, 'debit_purpose', NEW.debit_purpose,
            'credit_participant', NEW.credit_participant, 'credit_purpose', NEW.credit_purpose);
        said := said -> 'postings' -> (NEW.line_no - 1);
        IF NOT EXISTS (SELECT FROM settlement.defaults f WHERE f.proposal_id = NEW.proposal_id) THEN
            said := NULL;
        END IF;
    END IF;
    IF line IS DISTINCT FROM said THEN
        RAISE EXCEPTION 'proposal % asks for no such posting', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

GRANT SELECT, INSERT ON settlement.defaults TO exchange_server
