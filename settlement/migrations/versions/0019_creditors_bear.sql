-- ------------------------------------------------------------------------------------------------ notes
-- Accounts of the book that are no money: what creditors bear of defaults, beside what they claim for it.
ALTER TABLE settlement.funds_purposes ADD COLUMN debit_grows boolean;

UPDATE settlement.funds_purposes SET debit_grows = at_bank;

ALTER TABLE settlement.funds_purposes ALTER COLUMN debit_grows SET NOT NULL;

INSERT INTO settlement.funds_purposes (purpose, at_bank, debit_grows) VALUES
    ('LOSS_REPAID', false, false), ('LOSS_BORNE', false, true), ('DEFAULT_CLAIM', false, false);

INSERT INTO settlement.funds_ways VALUES
    ('ALLOCATION', 'LOSS_BORNE', 'DEFAULT_CLAIM'), ('RELIEF', 'DEFAULT_CLAIM', 'LOSS_BORNE'),
    ('RECOVERY', 'CLEARING_ACCOUNT', 'LOSS_REPAID'), ('WITHDRAWAL', 'LOSS_REPAID', 'CLEARING_ACCOUNT');

-- Each account on its own side.
CREATE OR REPLACE VIEW settlement.funds_balances AS
SELECT currency_code, participant, purpose,
       sum(CASE WHEN debited = debit_grows THEN minor_units ELSE -minor_units END) AS minor_units
FROM (
    SELECT currency_code, debit_participant AS participant, debit_purpose AS purpose, minor_units::numeric, true AS debited
    FROM settlement.funds_postings
    UNION ALL
    SELECT currency_code, credit_participant, credit_purpose, minor_units::numeric, false FROM settlement.funds_postings
) sides JOIN settlement.funds_purposes USING (purpose)
GROUP BY currency_code, participant, purpose;

-- ------------------------------------------------------------------------------------------------ smaller payments
-- What payments are made smaller by, because whom they are to bears a part of a default. Attempts before the first that
-- asks for less came to nothing: no file that went out says another thing than it did.
CREATE TABLE settlement.leg_reductions (
    run_id uuid NOT NULL REFERENCES settlement.runs,
    leg_no integer NOT NULL CHECK (leg_no > 0),
    proposal_id uuid NOT NULL REFERENCES settlement.defaults (proposal_id),
    currency_code text NOT NULL,
    from_attempt integer NOT NULL CHECK (from_attempt > 0),
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    PRIMARY KEY (run_id, leg_no, proposal_id)
);

CREATE INDEX leg_reductions_by_proposal ON settlement.leg_reductions (proposal_id);

CREATE FUNCTION settlement.check_leg_reduction() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    asked bigint;
BEGIN
    PERFORM settlement.take_turns();
    SELECT l.minor_units INTO asked
    FROM settlement.defaults f
    JOIN settlement.proposals p USING (proposal_id)
    CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') fall
    CROSS JOIN LATERAL jsonb_array_elements(fall -> 'reductions') one
    JOIN settlement.legs_asked(NEW.run_id) l
      ON (l.leg_no, l.currency_code, l.payee) = (NEW.leg_no, NEW.currency_code, one ->> 'participant')
    WHERE f.proposal_id = NEW.proposal_id AND f.run_id = NEW.run_id AND fall ->> 'currency' = NEW.currency_code
      AND ((one ->> 'leg_no')::integer, (one ->> 'from_attempt')::integer, (one ->> 'minor_units')::bigint)
        = (NEW.leg_no, NEW.from_attempt, NEW.minor_units);
    IF asked IS NULL THEN
        RAISE EXCEPTION 'no default makes payment % of run % so much smaller', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF asked < NEW.minor_units + coalesce((SELECT sum(r.minor_units) FROM settlement.leg_reductions r
                                           WHERE (r.run_id, r.leg_no) = (NEW.run_id, NEW.leg_no)), 0) THEN
        RAISE EXCEPTION 'payment % of run % is smaller than that', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.payment_attempts a WHERE (a.run_id, a.leg_no) = (NEW.run_id, NEW.leg_no)
               AND (a.attempt >= NEW.from_attempt OR a.state NOT IN ('REJECTED', 'RETURNED'))) THEN
        RAISE EXCEPTION 'payment % of run % is under way or booked', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_leg_reduction BEFORE INSERT ON settlement.leg_reductions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_leg_reduction();

-- Of every currency: what creditors bear is posted as it was shown, and is what their payments are made smaller by. Only
-- whom the defaulter was to pay itself, the operator in the middle, may bear a part without a payment.
CREATE FUNCTION settlement.check_borne() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (
        WITH falls AS (
            SELECT fall FROM settlement.proposals p
            CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') fall
            WHERE p.proposal_id = NEW.proposal_id AND fall ? 'reductions'
        ), borne AS (
            SELECT fall ->> 'currency' AS currency, one.key AS name, one.value::bigint AS amount
            FROM falls CROSS JOIN LATERAL jsonb_each_text(fall -> 'allocated') one
        ), smaller AS (
            SELECT fall ->> 'currency' AS currency, one ->> 'participant' AS name,
                   sum((one ->> 'minor_units')::bigint) AS amount
            FROM falls CROSS JOIN LATERAL jsonb_array_elements(fall -> 'reductions') one
            GROUP BY 1, 2
        ), posted AS (
            SELECT line ->> 'currency' AS currency, line ->> 'debit_participant' AS name,
                   sum((line ->> 'minor_units')::bigint) AS amount
            FROM settlement.proposals p CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'postings') line
            WHERE p.proposal_id = NEW.proposal_id AND line ->> 'way' = 'ALLOCATION'
            GROUP BY 1, 2
        )
        SELECT FROM borne b
        FULL JOIN posted USING (currency, name)
        FULL JOIN smaller USING (currency, name)
        WHERE b.amount IS DISTINCT FROM posted.amount
           OR (smaller.amount IS DISTINCT FROM b.amount AND (smaller.amount IS NOT NULL OR NOT EXISTS (
               SELECT FROM settlement.legs_asked(NEW.run_id) l
               WHERE (l.currency_code, l.payer, l.payee) = (currency, NEW.participant, name))))) THEN
        RAISE EXCEPTION 'what creditors bear of proposal % is not what is posted and paid less', NEW.proposal_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_borne BEFORE INSERT ON settlement.defaults
    FOR EACH ROW EXECUTE FUNCTION settlement.check_borne();

-- Nobody is asked again for what others stand in for, nor for what its payee bears: it would be paid twice.
CREATE OR REPLACE FUNCTION settlement.check_attempt_not_defaulted() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF EXISTS (SELECT FROM settlement.defaulted_legs d WHERE (d.run_id, d.leg_no) = (NEW.run_id, NEW.leg_no)) THEN
        RAISE EXCEPTION 'others stand in for payment % of run %', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT sum(r.minor_units) FROM settlement.leg_reductions r
        WHERE (r.run_id, r.leg_no) = (NEW.run_id, NEW.leg_no))
       >= (SELECT l.minor_units FROM settlement.payment_legs l WHERE (l.run_id, l.leg_no) = (NEW.run_id, NEW.leg_no)) THEN
        RAISE EXCEPTION 'the payee bears all of payment % of run %', NEW.leg_no, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- ------------------------------------------------------------------------------------------------ who bears what
-- turn: who is repaid first, 1 before 2. 1: what the run lacks. 2: what creditors are paid less. 3: the others'
-- contributions. 4: the operator's layer. Defaults declared before creditors' parts were posted have no turn 2.
CREATE OR REPLACE VIEW settlement.default_stakes AS
WITH falls AS (
    SELECT f.proposal_id, f.run_id, f.participant AS defaulter, f.window_no, f.at, one.value AS fall,
           one.value ->> 'currency' AS currency_code
    FROM settlement.defaults f JOIN settlement.proposals p USING (proposal_id)
    CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') AS one(value)
), borne AS (
    SELECT proposal_id, currency_code, one.key AS participant, one.value::bigint AS minor_units
    FROM falls CROSS JOIN LATERAL jsonb_each_text(fall -> 'allocated') AS one WHERE fall ? 'reductions'
), stakes AS (
    SELECT proposal_id, currency_code, 1 AS turn, defaulter AS participant, 'DEFAULT_COVER' AS purpose,
           (fall ->> 'loss')::bigint - coalesce(
               (SELECT sum((take ->> 'taken')::bigint) FROM jsonb_array_elements(fall -> 'takes') AS take), 0)::bigint
           - coalesce((SELECT sum(b.minor_units) FROM borne b
                       WHERE (b.proposal_id, b.currency_code) = (falls.proposal_id, falls.currency_code)), 0)::bigint
           AS borne
    FROM falls
    UNION ALL
    SELECT proposal_id, currency_code, 2, participant, 'LOSS_REPAID', minor_units FROM borne
    UNION ALL
    SELECT proposal_id, currency_code, CASE take ->> 'layer' WHEN 'OTHERS_GUARANTEE' THEN 3 ELSE 4 END,
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

-- A recovery is what came; notes beside it are no money.
CREATE OR REPLACE FUNCTION settlement.check_recovery() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
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
           SELECT sum((line ->> 'minor_units')::bigint) FROM jsonb_array_elements(said -> 'postings') AS line
           WHERE line ->> 'way' = 'RECOVERY')
        OR EXISTS (
           SELECT FROM jsonb_array_elements(said -> 'postings') AS line
           GROUP BY line ->> 'credit_participant'
           HAVING coalesce(sum((line ->> 'minor_units')::bigint) FILTER (WHERE line ->> 'credit_purpose' = 'LOSS_REPAID'), 0)
               <> coalesce(sum((line ->> 'minor_units')::bigint) FILTER (WHERE line ->> 'credit_purpose' = 'LOSS_BORNE'), 0))
        THEN
        RAISE EXCEPTION 'proposal % books no such recovery', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.funds_postings p
               WHERE p.currency_code = NEW.currency_code AND p.reference = NEW.reference
                 AND p.way IN ('DEPOSIT', 'WITHDRAWAL')) THEN
        RAISE EXCEPTION 'reference % was booked before', NEW.reference USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

GRANT SELECT, INSERT ON settlement.leg_reductions TO exchange_server
