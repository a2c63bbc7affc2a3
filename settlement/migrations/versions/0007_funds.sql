-- ------------------------------------------------------------------------------------------------ proposals
ALTER TABLE settlement.proposals DROP CONSTRAINT proposals_kind_check;

ALTER TABLE settlement.proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN
    ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING', 'FUNDS_TERMS', 'FUNDS_MOVEMENT'));

-- Kinds of which every approved document stands by itself and replaces none.
CREATE FUNCTION settlement.stands_alone(wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT wanted IN ('SPECIAL_CLOSING', 'FUNDS_MOVEMENT') $$;

CREATE OR REPLACE FUNCTION settlement.check_proposal_decision() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    proposal settlement.proposals;
BEGIN
    PERFORM settlement.take_turns();
    SELECT * INTO proposal FROM settlement.proposals WHERE proposal_id = NEW.proposal_id;
    IF NEW.digest IS DISTINCT FROM proposal.digest THEN
        RAISE EXCEPTION 'the digest is not that of proposal %', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.verdict <> 'WITHDRAWN' AND NEW.person = proposal.person THEN
        RAISE EXCEPTION '% made proposal % and cannot check it', NEW.person, NEW.proposal_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.verdict = 'APPROVED' AND NOT settlement.stands_alone(proposal.kind)
        AND proposal.replaces IS DISTINCT FROM settlement.in_force(proposal.kind) THEN
        RAISE EXCEPTION 'proposal % does not replace what holds now', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- ------------------------------------------------------------------------------------------------ the book
-- What accounts are for. At a bank: what there is. Others: what is owed to whoever it is kept for.
CREATE TABLE settlement.funds_purposes (
    purpose text PRIMARY KEY,
    at_bank boolean NOT NULL
);

INSERT INTO settlement.funds_purposes VALUES
    ('CLEARING_ACCOUNT', true), ('OWN_ACCOUNT', true),
    ('PREFUNDING', false), ('COLLATERAL', false), ('GUARANTEE', false), ('OPERATOR_LAYER', false),
    ('OPERATOR_OWN', false), ('DEFAULT_COVER', false);

-- From which account to which money may go, and why: the operator's own account and the clearing account never meet.
CREATE TABLE settlement.funds_ways (
    way text NOT NULL,
    debit_purpose text NOT NULL REFERENCES settlement.funds_purposes,
    credit_purpose text NOT NULL REFERENCES settlement.funds_purposes,
    PRIMARY KEY (way, debit_purpose, credit_purpose)
);

INSERT INTO settlement.funds_ways VALUES
    ('DEPOSIT', 'CLEARING_ACCOUNT', 'PREFUNDING'), ('DEPOSIT', 'CLEARING_ACCOUNT', 'COLLATERAL'),
    ('DEPOSIT', 'CLEARING_ACCOUNT', 'GUARANTEE'), ('DEPOSIT', 'CLEARING_ACCOUNT', 'OPERATOR_LAYER'),
    ('DEPOSIT', 'OWN_ACCOUNT', 'OPERATOR_OWN'),
    ('WITHDRAWAL', 'PREFUNDING', 'CLEARING_ACCOUNT'), ('WITHDRAWAL', 'COLLATERAL', 'CLEARING_ACCOUNT'),
    ('WITHDRAWAL', 'GUARANTEE', 'CLEARING_ACCOUNT'), ('WITHDRAWAL', 'OPERATOR_LAYER', 'CLEARING_ACCOUNT'),
    ('WITHDRAWAL', 'OPERATOR_OWN', 'OWN_ACCOUNT');

CREATE TABLE settlement.funds_postings (
    posting_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proposal_id uuid NOT NULL REFERENCES settlement.proposals,
    line_no integer NOT NULL CHECK (line_no > 0),
    way text NOT NULL,
    currency_code text NOT NULL,
    debit_participant text NOT NULL,
    debit_purpose text NOT NULL,
    credit_participant text NOT NULL,
    credit_purpose text NOT NULL,
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    reference text NOT NULL CHECK (reference <> ''),
    value_date date NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    person text NOT NULL CHECK (person = lower(person) AND person <> ''),
    UNIQUE (proposal_id, line_no),
    FOREIGN KEY (way, debit_purpose, credit_purpose) REFERENCES settlement.funds_ways
);

-- A line of a bank statement is money once.
CREATE UNIQUE INDEX funds_reference_once ON settlement.funds_postings (currency_code, reference)
    WHERE way IN ('DEPOSIT', 'WITHDRAWAL');

CREATE INDEX funds_by_debit ON settlement.funds_postings (debit_participant, debit_purpose, currency_code);

CREATE INDEX funds_by_credit ON settlement.funds_postings (credit_participant, credit_purpose, currency_code);

-- Each account on its own side.
CREATE VIEW settlement.funds_balances AS
SELECT currency_code, participant, purpose,
       sum(CASE WHEN debited = at_bank THEN minor_units ELSE -minor_units END) AS minor_units
FROM (
    SELECT currency_code, debit_participant AS participant, debit_purpose AS purpose, minor_units::numeric, true AS debited
    FROM settlement.funds_postings
    UNION ALL
    SELECT currency_code, credit_participant, credit_purpose, minor_units::numeric, false FROM settlement.funds_postings
) sides JOIN settlement.funds_purposes USING (purpose)
GROUP BY currency_code, participant, purpose;

-- What was approved is posted, as it was approved, once; and no account has less than nothing.
CREATE FUNCTION settlement.check_funds_posting() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    said jsonb;
BEGIN
    PERFORM settlement.take_turns();
    SELECT p.content::jsonb INTO said
    FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
    WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'FUNDS_MOVEMENT' AND d.verdict = 'APPROVED';
    IF NEW.line_no <> 1 OR said IS NULL
        OR (NEW.way, NEW.currency_code, NEW.minor_units::numeric, NEW.reference, NEW.value_date::text)
        IS DISTINCT FROM (said ->> 'way', said ->> 'currency', (said ->> 'minor_units')::numeric, said ->> 'reference',
                          said ->> 'value_date')
        OR (said ->> 'participant', said ->> 'purpose') IS DISTINCT FROM (
            CASE NEW.way WHEN 'DEPOSIT' THEN NEW.credit_participant ELSE NEW.debit_participant END,
            CASE NEW.way WHEN 'DEPOSIT' THEN NEW.credit_purpose ELSE NEW.debit_purpose END) THEN
        RAISE EXCEPTION 'proposal % asks for no such posting', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION settlement.check_funds_balance() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (
        SELECT FROM settlement.funds_balances
        WHERE currency_code = NEW.currency_code AND minor_units < 0
          AND (participant, purpose) IN ((NEW.debit_participant, NEW.debit_purpose),
                                         (NEW.credit_participant, NEW.credit_purpose))) THEN
        RAISE EXCEPTION 'posting % leaves an account below nothing', NEW.posting_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER check_funds_posting BEFORE INSERT ON settlement.funds_postings
    FOR EACH ROW EXECUTE FUNCTION settlement.check_funds_posting();

CREATE TRIGGER check_funds_balance AFTER INSERT ON settlement.funds_postings
    FOR EACH ROW EXECUTE FUNCTION settlement.check_funds_balance();

-- ------------------------------------------------------------------------------------------------ liquidity
-- That a checker looked at what a run's payers have before he said yes. missing: minor units of all currencies.
CREATE TABLE settlement.liquidity_looks (
    run_id uuid NOT NULL REFERENCES settlement.runs,
    person text NOT NULL CHECK (person = lower(person) AND person <> ''),
    at timestamptz NOT NULL,
    missing numeric NOT NULL CHECK (missing >= 0),
    acknowledged boolean NOT NULL,
    PRIMARY KEY (run_id, person)
);

-- Of each currency whose terms demand something: what the payers of a run lack.
CREATE FUNCTION settlement.liquidity_missing(run uuid, demanded text) RETURNS numeric LANGUAGE sql VOLATILE AS $$
    WITH terms AS (
        SELECT one ->> 'currency' AS currency, (one ->> 'collateral_pays')::boolean AS collateral_pays
        FROM settlement.proposals p CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') AS one
        WHERE p.proposal_id = settlement.in_force('FUNDS_TERMS') AND one ->> 'liquidity' = demanded
    ), moves AS (
        SELECT one ->> 'currency' AS currency, way.name, way.amount
        FROM settlement.runs r
        CROSS JOIN LATERAL jsonb_array_elements(r.result::jsonb -> 'currencies') AS one
        CROSS JOIN LATERAL jsonb_array_elements(one -> 'payments') AS payment
        CROSS JOIN LATERAL (VALUES (payment ->> 'payer', (payment ->> 'amount')::numeric),
                                   (payment ->> 'payee', -(payment ->> 'amount')::numeric)) AS way(name, amount)
        WHERE r.run_id = run
    ), net AS (
        SELECT currency, collateral_pays, name, sum(amount) AS amount
        FROM moves JOIN terms USING (currency) GROUP BY currency, collateral_pays, name
    )
    SELECT coalesce(sum(greatest(0, net.amount - coalesce((
        SELECT sum(b.minor_units) FROM settlement.funds_balances b
        WHERE b.currency_code = net.currency AND b.participant = net.name
          AND (b.purpose IN ('PREFUNDING', 'OPERATOR_OWN') OR (b.purpose = 'COLLATERAL' AND net.collateral_pays))
    ), 0))), 0) FROM net
$$;

CREATE FUNCTION settlement.check_liquidity() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NEW.to_state = 'APPROVED' AND settlement.liquidity_missing(NEW.run_id, 'REFUSE') > 0 THEN
        RAISE EXCEPTION 'the payers of run % lack funds', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.to_state = 'APPROVED' AND settlement.liquidity_missing(NEW.run_id, 'ACKNOWLEDGE') > 0 AND NOT EXISTS (
        SELECT FROM settlement.run_decisions d JOIN settlement.liquidity_looks l USING (run_id, person)
        WHERE d.run_id = NEW.run_id AND d.verdict = 'APPROVED' AND l.acknowledged) THEN
        RAISE EXCEPTION 'nobody acknowledged what the payers of run % lack', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_liquidity BEFORE INSERT ON settlement.run_transitions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_liquidity();

GRANT SELECT ON settlement.funds_purposes, settlement.funds_ways, settlement.funds_balances TO exchange_server;

GRANT SELECT, INSERT ON settlement.funds_postings, settlement.liquidity_looks TO exchange_server
