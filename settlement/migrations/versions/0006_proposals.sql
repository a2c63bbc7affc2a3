-- What holds for all of settlement until it is changed: terms, tiers of approval, exclusions, the calendar; and leave to
-- close a window off it. One document a kind, replaced whole; proposed by one person and decided by another.
CREATE TABLE settlement.proposals (
    proposal_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING')),
    content text NOT NULL,
    digest text NOT NULL CHECK (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    replaces uuid REFERENCES settlement.proposals,
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor LIKE 'FINANCE_MAKER:%'),
    person text NOT NULL CHECK (person = lower(person) AND person <> ''),
    reason text NOT NULL,
    order_no bigint GENERATED ALWAYS AS IDENTITY
);

CREATE INDEX proposals_by_order ON settlement.proposals (order_no);

CREATE TABLE settlement.proposal_decisions (
    proposal_id uuid PRIMARY KEY REFERENCES settlement.proposals,
    verdict text NOT NULL CHECK (verdict IN ('APPROVED', 'REJECTED', 'WITHDRAWN')),
    digest text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    person text NOT NULL CHECK (person = lower(person) AND person <> ''),
    reason text NOT NULL,
    order_no bigint GENERATED ALWAYS AS IDENTITY,
    CHECK ((verdict = 'WITHDRAWN') = (actor LIKE 'FINANCE_MAKER:%')),
    CHECK ((verdict <> 'WITHDRAWN') = (actor LIKE 'FINANCE_CHECKER:%'))
);

-- The document of a kind that holds now; NULL: none was ever approved.
CREATE FUNCTION settlement.in_force(wanted text) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT proposal_id FROM settlement.proposal_decisions d JOIN settlement.proposals p USING (proposal_id)
    WHERE p.kind = wanted AND d.verdict = 'APPROVED' ORDER BY d.order_no DESC LIMIT 1
$$;

CREATE FUNCTION settlement.check_proposal_decision() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
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
    IF NEW.verdict = 'APPROVED' AND proposal.kind <> 'SPECIAL_CLOSING'
        AND proposal.replaces IS DISTINCT FROM settlement.in_force(proposal.kind) THEN
        RAISE EXCEPTION 'proposal % does not replace what holds now', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_proposal_decision BEFORE INSERT ON settlement.proposal_decisions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_proposal_decision();

-- ------------------------------------------------------------------------------------------------ tiers
-- How many must approve a run by the tiers that hold: of each currency the highest tier that what is paid reaches.
CREATE FUNCTION settlement.checkers_by_tiers(run uuid) RETURNS integer LANGUAGE sql VOLATILE AS $$
    SELECT greatest(1, coalesce(max((tier ->> 'checkers')::integer), 1))
    FROM settlement.runs r
    CROSS JOIN LATERAL jsonb_array_elements(r.result::jsonb -> 'currencies') AS one
    JOIN settlement.proposals p ON p.proposal_id = settlement.in_force('TIERS')
    CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'tiers') AS tier
    WHERE r.run_id = run AND tier ->> 'currency' = one ->> 'currency'
        AND (one ->> 'paid')::numeric >= (tier ->> 'from')::numeric
$$;

CREATE FUNCTION settlement.check_tiers() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NEW.to_state = 'SUBMITTED' AND NEW.checkers_needed < settlement.checkers_by_tiers(NEW.run_id) THEN
        RAISE EXCEPTION 'run % needs more checkers', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    -- Tiers may have been raised since it was submitted.
    IF NEW.to_state = 'APPROVED' AND settlement.checkers_by_tiers(NEW.run_id) > (
        SELECT count(*) FROM settlement.run_decisions WHERE run_id = NEW.run_id AND verdict = 'APPROVED') THEN
        RAISE EXCEPTION 'run % needs more checkers', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_tiers BEFORE INSERT ON settlement.run_transitions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_tiers();

-- ------------------------------------------------------------------------------------------------ the calendar
-- What a window was cut off for: fixed with its closing, so that a run of it comes out the same for ever.
CREATE TABLE settlement.window_cut_offs (
    window_no bigint NOT NULL REFERENCES settlement.window_closings,
    currency_code text NOT NULL,
    cut_off_at timestamptz,
    pay_day date NOT NULL,
    PRIMARY KEY (window_no, currency_code)
);

-- By which calendar and which edition of the books of holidays a window was closed, and by whose leave when off it.
ALTER TABLE settlement.window_closings
    ADD COLUMN calendar uuid REFERENCES settlement.proposals,
    ADD COLUMN edition text,
    ADD COLUMN leave uuid REFERENCES settlement.proposals;

GRANT SELECT, INSERT ON settlement.proposals, settlement.proposal_decisions, settlement.window_cut_offs
    TO exchange_server
