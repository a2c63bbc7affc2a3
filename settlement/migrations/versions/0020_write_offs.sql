ALTER TABLE settlement.proposals DROP CONSTRAINT proposals_kind_check;

ALTER TABLE settlement.proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN
    ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING', 'FUNDS_TERMS', 'FUNDS_MOVEMENT',
     'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT', 'DISPUTE_POLICY', 'DISPUTE_DECISION', 'ADJUSTMENT',
     'DEFAULT_RECOVERY', 'DEFAULT_WRITE_OFF'));

CREATE OR REPLACE FUNCTION settlement.stands_alone(wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT wanted IN ('SPECIAL_CLOSING', 'FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT',
                        'DISPUTE_DECISION', 'ADJUSTMENT', 'DEFAULT_RECOVERY', 'DEFAULT_WRITE_OFF') $$;

-- ------------------------------------------------------------------------------------------------ notes
ALTER TABLE settlement.funds_purposes ADD COLUMN note boolean NOT NULL DEFAULT false;

UPDATE settlement.funds_purposes SET note = true WHERE purpose IN ('LOSS_BORNE', 'DEFAULT_CLAIM');

INSERT INTO settlement.funds_purposes (purpose, at_bank, debit_grows, note) VALUES
    ('LOSS_WRITTEN_OFF', false, true, true), ('CLAIM_WRITTEN_OFF', false, false, true);

INSERT INTO settlement.funds_ways VALUES
    ('WRITE_OFF', 'LOSS_WRITTEN_OFF', 'CLAIM_WRITTEN_OFF'), ('REVIVAL', 'CLAIM_WRITTEN_OFF', 'LOSS_WRITTEN_OFF');

-- ------------------------------------------------------------------------------------------------ write-offs
-- What is claimed of a defaulter no more.
CREATE TABLE settlement.write_offs (
    proposal_id uuid PRIMARY KEY REFERENCES settlement.proposals,
    default_id uuid NOT NULL REFERENCES settlement.defaults (proposal_id),
    currency_code text NOT NULL,
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    at timestamptz NOT NULL
);

CREATE INDEX write_offs_by_default ON settlement.write_offs (default_id);

-- written_off: what of it nobody claims any more: as write-offs say, less what recoveries say came back of it.
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
       s.turn, s.participant, s.purpose, s.borne, coalesce(back.minor_units, 0)::bigint AS repaid,
       (coalesce(lost.minor_units, 0) - coalesce(again.minor_units, 0))::bigint AS written_off
FROM falls f JOIN stakes s USING (proposal_id, currency_code)
LEFT JOIN LATERAL (
    SELECT sum(p.minor_units) AS minor_units
    FROM settlement.recoveries r JOIN settlement.funds_postings p ON p.proposal_id = r.proposal_id
    WHERE r.default_id = f.proposal_id AND r.currency_code = f.currency_code
      AND (p.credit_participant, p.credit_purpose) = (s.participant, s.purpose)) back ON true
LEFT JOIN LATERAL (
    SELECT sum((loss ->> 'minor_units')::bigint) AS minor_units
    FROM settlement.write_offs w JOIN settlement.proposals p USING (proposal_id)
    CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'losses') AS loss
    WHERE w.default_id = f.proposal_id AND w.currency_code = f.currency_code
      AND (loss ->> 'participant', loss ->> 'purpose') = (s.participant, s.purpose)) lost ON true
LEFT JOIN LATERAL (
    SELECT sum((loss ->> 'minor_units')::bigint) AS minor_units
    FROM settlement.recoveries r JOIN settlement.proposals p USING (proposal_id)
    CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'revived') AS loss
    WHERE r.default_id = f.proposal_id AND r.currency_code = f.currency_code
      AND (loss ->> 'participant', loss ->> 'purpose') = (s.participant, s.purpose)) again ON true;

-- missing: what nobody's money stands behind yet. remaining: what is still claimed of the defaulter.
CREATE OR REPLACE VIEW settlement.default_claims AS
SELECT proposal_id, run_id, defaulter, window_no, at, currency_code, loss,
       sum(borne)::bigint AS claimed, sum(repaid)::bigint AS recovered,
       sum(borne - repaid - written_off)::bigint AS remaining,
       (sum(borne - repaid) FILTER (WHERE turn = 1))::bigint AS missing, sum(written_off)::bigint AS written_off
FROM settlement.default_stakes
GROUP BY proposal_id, run_id, defaulter, window_no, at, currency_code, loss;

CREATE FUNCTION settlement.check_write_off() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    said jsonb;
BEGIN
    PERFORM settlement.take_turns();
    SELECT p.content::jsonb INTO said
    FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
    WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'DEFAULT_WRITE_OFF' AND d.verdict = 'APPROVED';
    IF said IS NULL OR NOT EXISTS (
        SELECT FROM settlement.defaults f
        WHERE f.proposal_id = NEW.default_id AND f.participant = said ->> 'participant'
          AND f.window_no = (said ->> 'window_no')::bigint)
        OR (NEW.currency_code, NEW.minor_units) IS DISTINCT FROM (said ->> 'currency', (said ->> 'minor_units')::bigint)
        OR NEW.minor_units IS DISTINCT FROM (
           SELECT sum((loss ->> 'minor_units')::bigint) FROM jsonb_array_elements(said -> 'losses') AS loss)
        OR (SELECT jsonb_agg(jsonb_build_array(loss ->> 'participant', loss ->> 'minor_units') ORDER BY place)
            FROM jsonb_array_elements(said -> 'losses') WITH ORDINALITY AS one(loss, place)) IS DISTINCT FROM
           (SELECT jsonb_agg(jsonb_build_array(line ->> 'debit_participant', line ->> 'minor_units') ORDER BY place)
            FROM jsonb_array_elements(said -> 'postings') WITH ORDINALITY AS one(line, place)
            WHERE line ->> 'way' = 'WRITE_OFF') THEN
        RAISE EXCEPTION 'proposal % writes nothing such off', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_write_off BEFORE INSERT ON settlement.write_offs
    FOR EACH ROW EXECUTE FUNCTION settlement.check_write_off();

-- Nobody gives up more than it has left to claim, what a run lacks is not given up, and nobody before those repaid later.
CREATE FUNCTION settlement.check_given_up() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (
        SELECT FROM settlement.default_stakes s
        WHERE s.proposal_id = NEW.default_id AND s.currency_code = NEW.currency_code AND s.written_off <> 0
          AND (s.turn = 1 OR s.written_off < 0 OR s.repaid + s.written_off > s.borne OR EXISTS (
              SELECT FROM settlement.default_stakes later
              WHERE (later.proposal_id, later.currency_code) = (s.proposal_id, s.currency_code) AND later.turn > s.turn
                AND later.repaid + later.written_off < later.borne)))
        OR NEW.minor_units > (SELECT sum((lost ->> 'minor_units')::bigint)
            FROM settlement.proposals p CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'losses') AS lost
            WHERE p.proposal_id = NEW.proposal_id AND EXISTS (
                SELECT FROM settlement.default_stakes s
                WHERE (s.proposal_id, s.currency_code) = (NEW.default_id, NEW.currency_code)
                  AND (s.participant, s.purpose) = (lost ->> 'participant', lost ->> 'purpose'))) THEN
        RAISE EXCEPTION 'proposal % gives up what nobody has to give', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER check_given_up AFTER INSERT ON settlement.write_offs
    FOR EACH ROW EXECUTE FUNCTION settlement.check_given_up();

-- Nobody gets back more than it gave, and nobody before those who are repaid first; what was written off comes back as
-- the recovery says it was revived.
CREATE OR REPLACE FUNCTION settlement.check_repayment() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    whose uuid;
    own integer;
BEGIN
    SELECT default_id INTO whose FROM settlement.recoveries WHERE proposal_id = NEW.proposal_id;
    SELECT turn INTO own FROM settlement.default_stakes
    WHERE proposal_id = whose AND currency_code = NEW.currency_code AND repaid + written_off <= borne
      AND written_off >= 0 AND (participant, purpose) = (NEW.credit_participant, NEW.credit_purpose);
    IF own IS NULL THEN
        RAISE EXCEPTION 'posting % repays more than was taken', NEW.posting_no USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.default_stakes
               WHERE proposal_id = whose AND currency_code = NEW.currency_code AND turn < own AND repaid < borne) THEN
        RAISE EXCEPTION 'posting % comes before those repaid first', NEW.posting_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

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
    WHERE p.proposal_id = NEW.proposal_id AND d.verdict = 'APPROVED'
      AND p.kind IN ('FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'DEFAULT_RECOVERY', 'DEFAULT_WRITE_OFF');
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
            AND NOT EXISTS (SELECT FROM settlement.recoveries r WHERE r.proposal_id = NEW.proposal_id)
            AND NOT EXISTS (SELECT FROM settlement.write_offs w WHERE w.proposal_id = NEW.proposal_id) THEN
            said := NULL;
        END IF;
    END IF;
    IF line IS DISTINCT FROM said OR said IS NULL THEN
        RAISE EXCEPTION 'proposal % asks for no such posting', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- ------------------------------------------------------------------------------------------------ exits
-- Notes are no money: what somebody bore for good keeps nobody here, nor does what was given up keep a defaulter here.
CREATE OR REPLACE FUNCTION settlement.check_exit() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NOT EXISTS (
        SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
        WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'PARTICIPANT_EXIT' AND d.verdict = 'APPROVED'
          AND p.content::jsonb ->> 'participant' = NEW.participant) THEN
        RAISE EXCEPTION 'proposal % certifies no such exit', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM settlement.funds_balances b JOIN settlement.funds_purposes p USING (purpose)
               WHERE b.participant = NEW.participant AND b.minor_units <> 0 AND NOT p.note) THEN
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

-- Nothing but notes is booked for whoever has left.
CREATE OR REPLACE FUNCTION settlement.check_not_left() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (
        SELECT FROM settlement.exits x
        JOIN (VALUES (NEW.debit_participant, NEW.debit_purpose), (NEW.credit_participant, NEW.credit_purpose))
            AS side(participant, purpose) ON side.participant = x.participant
        JOIN settlement.funds_purposes p ON p.purpose = side.purpose
        WHERE NOT p.note) THEN
        RAISE EXCEPTION 'posting for somebody who has left' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

GRANT SELECT, INSERT ON settlement.write_offs TO exchange_server
