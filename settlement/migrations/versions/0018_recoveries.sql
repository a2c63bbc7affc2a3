ALTER TABLE settlement.proposals DROP CONSTRAINT proposals_kind_check;

ALTER TABLE settlement.proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN
    ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING', 'FUNDS_TERMS', 'FUNDS_MOVEMENT',
     'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT', 'DISPUTE_POLICY', 'DISPUTE_DECISION', 'ADJUSTMENT',
     'DEFAULT_RECOVERY'));

CREATE OR REPLACE FUNCTION settlement.stands_alone(wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT wanted IN ('SPECIAL_CLOSING', 'FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT',
                        'DISPUTE_DECISION', 'ADJUSTMENT', 'DEFAULT_RECOVERY') $$;

-- ------------------------------------------------------------------------------------------------ defaulted payments
-- The payments of a run that a default is about: their payer is not asked for them any more, others stand in.
CREATE TABLE settlement.defaulted_legs (
    run_id uuid NOT NULL REFERENCES settlement.runs,
    leg_no integer NOT NULL CHECK (leg_no > 0),
    proposal_id uuid NOT NULL REFERENCES settlement.defaults (proposal_id),
    currency_code text NOT NULL,
    payer text NOT NULL,
    payee text NOT NULL,
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    PRIMARY KEY (run_id, leg_no)
);

CREATE INDEX defaulted_legs_by_proposal ON settlement.defaulted_legs (proposal_id);

-- The payments a run asks for, numbered as they are paid.
CREATE FUNCTION settlement.legs_asked(run uuid)
RETURNS TABLE (leg_no bigint, currency_code text, payer text, payee text, minor_units bigint) LANGUAGE sql VOLATILE AS $$
    SELECT row_number() OVER (ORDER BY c.place, p.place), c.value ->> 'currency', p.value ->> 'payer',
           p.value ->> 'payee', (p.value ->> 'amount')::bigint
    FROM settlement.runs r
    CROSS JOIN LATERAL jsonb_array_elements(r.result::jsonb -> 'currencies') WITH ORDINALITY AS c(value, place)
    CROSS JOIN LATERAL jsonb_array_elements(c.value -> 'payments') WITH ORDINALITY AS p(value, place)
    WHERE r.run_id = run
$$;

-- Of defaults declared before there was this table: what no bank had booked and none had under way.
INSERT INTO settlement.defaulted_legs (run_id, leg_no, proposal_id, currency_code, payer, payee, minor_units)
SELECT f.run_id, l.leg_no, f.proposal_id, l.currency_code, l.payer, l.payee, l.minor_units
FROM settlement.defaults f
CROSS JOIN LATERAL settlement.legs_asked(f.run_id) l
JOIN settlement.proposals p ON p.proposal_id = f.proposal_id
WHERE l.payer = f.participant
  AND EXISTS (SELECT FROM jsonb_array_elements(p.content::jsonb -> 'currencies') one
              WHERE one ->> 'currency' = l.currency_code)
  AND NOT EXISTS (SELECT FROM settlement.payment_attempts a
                  WHERE (a.run_id, a.leg_no) = (f.run_id, l.leg_no) AND a.state NOT IN ('REJECTED', 'RETURNED'));

CREATE FUNCTION settlement.check_defaulted_leg() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NOT EXISTS (
        SELECT FROM settlement.defaults f
        JOIN settlement.proposals p USING (proposal_id)
        CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') one
        CROSS JOIN LATERAL settlement.legs_asked(f.run_id) l
        WHERE f.proposal_id = NEW.proposal_id AND f.run_id = NEW.run_id AND f.participant = NEW.payer
          AND one ->> 'currency' = NEW.currency_code
          AND (l.leg_no, l.currency_code, l.payer, l.payee, l.minor_units)
            = (NEW.leg_no, NEW.currency_code, NEW.payer, NEW.payee, NEW.minor_units)) THEN
        RAISE EXCEPTION 'no default is about payment % of run %', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.payment_attempts a
               WHERE (a.run_id, a.leg_no) = (NEW.run_id, NEW.leg_no) AND a.state NOT IN ('REJECTED', 'RETURNED')) THEN
        RAISE EXCEPTION 'payment % of run % is under way or booked', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_defaulted_leg BEFORE INSERT ON settlement.defaulted_legs
    FOR EACH ROW EXECUTE FUNCTION settlement.check_defaulted_leg();

-- Nobody is asked again for what others stand in for: it would be paid twice.
CREATE FUNCTION settlement.check_attempt_not_defaulted() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF EXISTS (SELECT FROM settlement.defaulted_legs d WHERE (d.run_id, d.leg_no) = (NEW.run_id, NEW.leg_no)) THEN
        RAISE EXCEPTION 'others stand in for payment % of run %', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_attempt_not_defaulted BEFORE INSERT ON settlement.payment_attempts
    FOR EACH ROW EXECUTE FUNCTION settlement.check_attempt_not_defaulted();

-- ------------------------------------------------------------------------------------------------ recoveries
-- Money that came back from a defaulter: one line of a bank statement, one recovery.
CREATE TABLE settlement.recoveries (
    proposal_id uuid PRIMARY KEY REFERENCES settlement.proposals,
    default_id uuid NOT NULL REFERENCES settlement.defaults (proposal_id),
    currency_code text NOT NULL,
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    reference text NOT NULL CHECK (reference <> ''),
    value_date date NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (currency_code, reference)
);

CREATE INDEX recoveries_by_default ON settlement.recoveries (default_id);

INSERT INTO settlement.funds_ways VALUES
    ('RECOVERY', 'CLEARING_ACCOUNT', 'DEFAULT_COVER'), ('RECOVERY', 'CLEARING_ACCOUNT', 'GUARANTEE'),
    ('RECOVERY', 'CLEARING_ACCOUNT', 'OPERATOR_LAYER');

-- Who bears what of a default beside the defaulter, and what of it has come back. turn: who is repaid first, 1 before 2.
-- The part no layer held is borne by those the run pays: it comes back to the cover, which is theirs.
CREATE VIEW settlement.default_stakes AS
WITH falls AS (
    SELECT f.proposal_id, f.run_id, f.participant AS defaulter, f.window_no, f.at, one.value AS fall,
           one.value ->> 'currency' AS currency_code
    FROM settlement.defaults f JOIN settlement.proposals p USING (proposal_id)
    CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') AS one(value)
), stakes AS (
    SELECT proposal_id, currency_code, 1 AS turn, defaulter AS participant, 'DEFAULT_COVER' AS purpose,
           (fall ->> 'loss')::bigint - coalesce(
               (SELECT sum((take ->> 'taken')::bigint) FROM jsonb_array_elements(fall -> 'takes') AS take), 0)::bigint
           AS borne
    FROM falls
    UNION ALL
    SELECT proposal_id, currency_code, CASE take ->> 'layer' WHEN 'OTHERS_GUARANTEE' THEN 2 ELSE 3 END,
           take ->> 'participant',
           CASE take ->> 'layer' WHEN 'OTHERS_GUARANTEE' THEN 'GUARANTEE' ELSE 'OPERATOR_LAYER' END,
           (take ->> 'taken')::bigint
    FROM falls CROSS JOIN LATERAL jsonb_array_elements(fall -> 'takes') AS take
    WHERE take ->> 'layer' IN ('OTHERS_GUARANTEE', 'OPERATOR') AND (take ->> 'taken')::bigint > 0
)
SELECT f.proposal_id, f.run_id, f.defaulter, f.window_no, f.at, f.currency_code, (f.fall ->> 'loss')::bigint AS loss,
       s.turn, s.participant, s.purpose, s.borne, coalesce(back.minor_units, 0)::bigint AS repaid
FROM falls f JOIN stakes s USING (proposal_id, currency_code)
LEFT JOIN LATERAL (
    SELECT sum(p.minor_units) AS minor_units
    FROM settlement.recoveries r JOIN settlement.funds_postings p ON p.proposal_id = r.proposal_id
    WHERE r.default_id = f.proposal_id AND r.currency_code = f.currency_code
      AND (p.credit_participant, p.credit_purpose) = (s.participant, s.purpose)) back ON true;

-- missing: what nobody's money stands behind yet. remaining: what is still claimed of the defaulter.
CREATE VIEW settlement.default_claims AS
SELECT proposal_id, run_id, defaulter, window_no, at, currency_code, loss,
       sum(borne)::bigint AS claimed, sum(repaid)::bigint AS recovered, sum(borne - repaid)::bigint AS remaining,
       (sum(borne - repaid) FILTER (WHERE turn = 1))::bigint AS missing
FROM settlement.default_stakes
GROUP BY proposal_id, run_id, defaulter, window_no, at, currency_code, loss;

CREATE FUNCTION settlement.check_recovery() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    said jsonb;
BEGIN
    PERFORM settlement.take_turns();
    SELECT p.content::jsonb INTO said
    FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
    WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'DEFAULT_RECOVERY' AND d.verdict = 'APPROVED';
    IF said IS NULL OR NOT EXISTS (
        SELECT FROM settlement.defaults f
        WHERE f.proposal_id = NEW.default_id AND f.participant = said ->> 'participant'
          AND f.window_no = (said ->> 'window_no')::bigint)
        OR (NEW.currency_code, NEW.minor_units, NEW.reference, NEW.value_date::text) IS DISTINCT FROM
           (said ->> 'currency', (said ->> 'minor_units')::bigint, said ->> 'reference', said ->> 'value_date')
        OR NEW.minor_units IS DISTINCT FROM (
           SELECT sum((line ->> 'minor_units')::bigint) FROM jsonb_array_elements(said -> 'postings') AS line) THEN
        RAISE EXCEPTION 'proposal % books no such recovery', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.funds_postings p
               WHERE p.currency_code = NEW.currency_code AND p.reference = NEW.reference
                 AND p.way IN ('DEPOSIT', 'WITHDRAWAL')) THEN
        RAISE EXCEPTION 'reference % was booked before', NEW.reference USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_recovery BEFORE INSERT ON settlement.recoveries
    FOR EACH ROW EXECUTE FUNCTION settlement.check_recovery();

-- Nobody gets back more than it gave, and nobody before those who are repaid first.
CREATE FUNCTION settlement.check_repayment() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    whose uuid;
    own integer;
BEGIN
    SELECT default_id INTO whose FROM settlement.recoveries WHERE proposal_id = NEW.proposal_id;
    SELECT turn INTO own FROM settlement.default_stakes
    WHERE proposal_id = whose AND currency_code = NEW.currency_code AND repaid <= borne
      AND (participant, purpose) = (NEW.credit_participant, NEW.credit_purpose);
    IF own IS NULL THEN
        RAISE EXCEPTION 'posting % repays more than was taken', NEW.posting_no USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.default_stakes
               WHERE proposal_id = whose AND currency_code = NEW.currency_code AND turn < own AND repaid < borne) THEN
        RAISE EXCEPTION 'posting % comes before those repaid first', NEW.posting_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER check_repayment AFTER INSERT ON settlement.funds_postings
    FOR EACH ROW WHEN (NEW.way = 'RECOVERY') EXECUTE FUNCTION settlement.check_repayment();

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
    WHERE p.proposal_id = NEW.proposal_id
      AND p.kind IN ('FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'DEFAULT_RECOVERY') AND d.verdict = 'APPROVED';
    IF about = 'FUNDS_MOVEMENT' THEN
        line := jsonb_build_object(
            'way', NEW.way, 'currency', NEW.currency_code, 'minor_units', NEW.minor_units,
            'reference', NEW.reference, 'value_date', NEW.value_date::text,
            'participant', CASE NEW.way WHEN 'DEPOSIT' THEN NEW.credit_participant ELSE NEW.debit_participant END,
            'purpose', CASE NEW.way WHEN 'DEPOSIT' THEN NEW.credit_purpose ELSE NEW.debit_purpose END);
        IF NEW.line_no <> 1 OR EXISTS (
            SELECT FROM settlement.recoveries r
            WHERE r.currency_code = NEW.currency_code AND r.reference = NEW.reference) THEN
            said := NULL;
        END IF;
    ELSE
        line := jsonb_build_object(
            'way', NEW.way, 'currency', NEW.currency_code, 'minor_units', NEW.minor_units,
            'debit_participant', NEW.debit_participant, 'debit_purpose', NEW.debit_purpose,
            'credit_participant', NEW.credit_participant, 'credit_purpose', NEW.credit_purpose);
        IF about = 'DEFAULT_RECOVERY' AND (said ->> 'reference', said ->> 'value_date')
            IS DISTINCT FROM (NEW.reference, NEW.value_date::text) THEN
            line := NULL;
        END IF;
        said := said -> 'postings' -> (NEW.line_no - 1);
        IF NOT EXISTS (SELECT FROM settlement.defaults f WHERE f.proposal_id = NEW.proposal_id)
            AND NOT EXISTS (SELECT FROM settlement.recoveries r WHERE r.proposal_id = NEW.proposal_id) THEN
            said := NULL;
        END IF;
    END IF;
    IF line IS DISTINCT FROM said OR said IS NULL THEN
        RAISE EXCEPTION 'proposal % asks for no such posting', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

GRANT SELECT ON settlement.default_stakes, settlement.default_claims TO exchange_server;

GRANT SELECT, INSERT ON settlement.defaulted_legs, settlement.recoveries TO exchange_server
