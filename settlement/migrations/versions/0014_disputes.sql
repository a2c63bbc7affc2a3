-- ------------------------------------------------------------------------------------------------ proposals
ALTER TABLE settlement.proposals DROP CONSTRAINT proposals_kind_check;

ALTER TABLE settlement.proposals ADD CONSTRAINT proposals_kind_check CHECK (kind IN
    ('TERMS', 'TIERS', 'EXCLUSIONS', 'CALENDAR', 'SPECIAL_CLOSING', 'FUNDS_TERMS', 'FUNDS_MOVEMENT',
     'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT',
     'DISPUTE_POLICY', 'DISPUTE_DECISION', 'ADJUSTMENT'));

CREATE OR REPLACE FUNCTION settlement.stands_alone(wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$
    SELECT wanted IN ('SPECIAL_CLOSING', 'FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'FX_SET', 'PARTICIPANT_EXIT',
                      'DISPUTE_DECISION', 'ADJUSTMENT')
$$;

-- ------------------------------------------------------------------------------------------------ disputes
-- A claim that a debtor does not owe a creditor so much of what a transfer left owing. What the policy said when it was
-- opened stands in it: a later policy changes nothing about it.
CREATE TABLE settlement.disputes (
    dispute_id uuid PRIMARY KEY,
    transfer_id uuid NOT NULL,
    window_no bigint NOT NULL,
    debtor text NOT NULL,
    creditor text NOT NULL,
    currency_code text NOT NULL,
    unit_micros bigint NOT NULL CHECK (unit_micros BETWEEN 1 AND 1000000),
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    claimant text NOT NULL CHECK (claimant IN (debtor, creditor)),
    request_id text NOT NULL,
    reason text NOT NULL,
    statement text NOT NULL,
    evidence text NOT NULL,
    treatment text NOT NULL CHECK (treatment IN ('HOLD_OUT', 'SETTLE_THEN_ADJUST')),
    owner text NOT NULL,
    answer_due timestamptz NOT NULL,
    decision_days integer NOT NULL CHECK (decision_days > 0),
    unanswered text NOT NULL CHECK (unanswered IN ('UPHELD', 'REJECTED')),
    undecided text NOT NULL CHECK (undecided IN ('UPHELD', 'REJECTED')),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    person text CHECK (person = lower(person)),
    order_no bigint GENERATED ALWAYS AS IDENTITY,
    UNIQUE (claimant, request_id),
    CHECK (answer_due > at)
);

CREATE INDEX disputes_by_order ON settlement.disputes (order_no);

CREATE INDEX disputes_by_obligation ON settlement.disputes (transfer_id, debtor, creditor);

CREATE INDEX disputes_by_window ON settlement.disputes (window_no);

-- The steps there are, each by what brings it about.
CREATE TABLE settlement.dispute_steps (
    from_state text NOT NULL,
    to_state text NOT NULL,
    cause text NOT NULL,
    PRIMARY KEY (from_state, to_state, cause)
);

INSERT INTO settlement.dispute_steps VALUES
    ('', 'OPEN', 'CLAIM'),
    ('OPEN', 'UPHELD', 'ANSWER'), ('OPEN', 'CONTESTED', 'ANSWER'), ('OPEN', 'WITHDRAWN', 'WITHDRAWAL'),
    ('OPEN', 'UPHELD', 'DEADLINE'), ('OPEN', 'REJECTED', 'DEADLINE'), ('OPEN', 'REJECTED', 'REVERSAL'),
    ('CONTESTED', 'UPHELD', 'DECISION'), ('CONTESTED', 'REJECTED', 'DECISION'),
    ('CONTESTED', 'WITHDRAWN', 'WITHDRAWAL'), ('CONTESTED', 'UPHELD', 'DEADLINE'),
    ('CONTESTED', 'REJECTED', 'DEADLINE'), ('CONTESTED', 'REJECTED', 'REVERSAL');

-- release_window: of a step that ends a dispute, the window whose run nets what was held, and any adjustment of it.
CREATE TABLE settlement.dispute_transitions (
    dispute_id uuid NOT NULL REFERENCES settlement.disputes,
    step_no integer NOT NULL CHECK (step_no > 0),
    from_state text NOT NULL,
    to_state text NOT NULL,
    cause text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    person text CHECK (person = lower(person)),
    note text NOT NULL,
    evidence text NOT NULL,
    decision_due timestamptz,
    upheld_minor_units bigint,
    release_window bigint,
    proposal_id uuid REFERENCES settlement.proposals,
    PRIMARY KEY (dispute_id, step_no),
    FOREIGN KEY (from_state, to_state, cause) REFERENCES settlement.dispute_steps,
    CHECK ((to_state = 'CONTESTED') = (decision_due IS NOT NULL)),
    CHECK ((to_state = 'UPHELD') = (upheld_minor_units IS NOT NULL)),
    CHECK (upheld_minor_units > 0),
    CHECK ((to_state IN ('UPHELD', 'REJECTED', 'WITHDRAWN')) = (release_window IS NOT NULL)),
    CHECK ((cause = 'DECISION') = (proposal_id IS NOT NULL))
);

-- A decision decides once.
CREATE UNIQUE INDEX one_decision ON settlement.dispute_transitions (proposal_id) WHERE proposal_id IS NOT NULL;

CREATE UNIQUE INDEX one_end ON settlement.dispute_transitions (dispute_id) WHERE release_window IS NOT NULL;

CREATE INDEX dispute_ends_by_window ON settlement.dispute_transitions (release_window) WHERE release_window IS NOT NULL;

-- Who looks after a dispute; the newest row counts, and before any the owner it was opened with.
CREATE TABLE settlement.dispute_owners (
    dispute_id uuid NOT NULL REFERENCES settlement.disputes,
    owner text NOT NULL CHECK (owner <> ''),
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor LIKE 'FINANCE_MAKER:%'),
    person text NOT NULL CHECK (person = lower(person) AND person <> ''),
    order_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);

CREATE INDEX dispute_owners_by_dispute ON settlement.dispute_owners (dispute_id, order_no);

-- ------------------------------------------------------------------------------------------------ adjustments
-- The debtor owes the creditor so much more in a window, not because of a transfer: both sides of a pair, so nets still
-- sum to zero. UPHELD: what a dispute won goes back. OVERTAKEN: a reversal gave back what a dispute had won, so that much
-- is owed again. AGREED: finance agreed to it.
CREATE TABLE settlement.adjustments (
    adjustment_id uuid PRIMARY KEY,
    window_no bigint NOT NULL,
    debtor text NOT NULL,
    creditor text NOT NULL,
    currency_code text NOT NULL,
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    cause text NOT NULL CHECK (cause IN ('UPHELD', 'OVERTAKEN', 'AGREED')),
    dispute_id uuid REFERENCES settlement.disputes,
    proposal_id uuid REFERENCES settlement.proposals,
    transfer_id uuid,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    order_no bigint GENERATED ALWAYS AS IDENTITY,
    CHECK (debtor <> creditor),
    CHECK ((cause = 'AGREED') = (proposal_id IS NOT NULL)),
    CHECK ((cause = 'AGREED') = (dispute_id IS NULL))
);

CREATE UNIQUE INDEX one_adjustment_of_a_dispute ON settlement.adjustments (dispute_id) WHERE cause = 'UPHELD';

CREATE UNIQUE INDEX one_adjustment_of_a_proposal ON settlement.adjustments (proposal_id) WHERE cause = 'AGREED';

CREATE UNIQUE INDEX one_overtaking_of_a_window ON settlement.adjustments
    (transfer_id, debtor, creditor, currency_code, window_no) WHERE cause = 'OVERTAKEN';

CREATE INDEX adjustments_by_window ON settlement.adjustments (window_no, order_no);

-- ------------------------------------------------------------------------------------------------ what can be claimed
CREATE FUNCTION settlement.bucket_of(transfer uuid) RETURNS smallint LANGUAGE sql IMMUTABLE
AS $$ SELECT ((('x' || right(replace(transfer::text, '-', ''), 3))::bit(12)::integer) % 1024)::smallint $$;

-- What a transfer left a debtor owing a creditor, less what reversals up to a window gave back, exact; never below 0.
CREATE FUNCTION settlement.owed_micros(transfer uuid, owing text, owed text, money text, up_to bigint)
RETURNS numeric LANGUAGE sql VOLATILE AS $$
    SELECT greatest(0,
        coalesce((SELECT sum(e.micros) FROM exchange.clearing_entries_v1 e
                  WHERE e.bucket = settlement.bucket_of(transfer) AND e.transfer_id = transfer
                    AND e.debtor = owing AND e.creditor = owed AND e.currency_code = money), 0)
        - coalesce((SELECT sum(r.micros) FROM exchange.clearing_reversals_v1 r
                    WHERE r.bucket = settlement.bucket_of(transfer) AND r.original_id = transfer
                      AND r.debtor = owed AND r.creditor = owing AND r.currency_code = money
                      AND r.window_no <= up_to), 0))
$$;

-- What disputes of an obligation have won, less what reversals have overtaken of that, minor units.
CREATE FUNCTION settlement.won(transfer uuid, owing text, owed text, money text) RETURNS numeric LANGUAGE sql VOLATILE AS $$
    SELECT coalesce((SELECT sum(t.upheld_minor_units) FROM settlement.disputes d
                     JOIN settlement.dispute_transitions t USING (dispute_id)
                     WHERE d.transfer_id = transfer AND d.debtor = owing AND d.creditor = owed
                       AND d.currency_code = money AND t.to_state = 'UPHELD'), 0)
        - coalesce((SELECT sum(a.minor_units) FROM settlement.adjustments a
                    WHERE a.transfer_id = transfer AND a.debtor = owing AND a.creditor = owed
                      AND a.currency_code = money AND a.cause = 'OVERTAKEN'), 0)
$$;

CREATE FUNCTION settlement.dispute_state(dispute uuid) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce((SELECT to_state FROM settlement.dispute_transitions
                     WHERE dispute_id = dispute ORDER BY step_no DESC LIMIT 1), '')
$$;

-- What disputes of an obligation still ask for, minor units.
CREATE FUNCTION settlement.asked(transfer uuid, owing text, owed text, money text) RETURNS numeric LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(sum(d.minor_units), 0) FROM settlement.disputes d
    WHERE d.transfer_id = transfer AND d.debtor = owing AND d.creditor = owed AND d.currency_code = money
      AND settlement.dispute_state(d.dispute_id) IN ('', 'OPEN', 'CONTESTED')
$$;

CREATE FUNCTION settlement.has_run(window_ bigint) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT EXISTS (SELECT FROM settlement.runs r
                   WHERE r.window_no = window_ AND settlement.is_live(settlement.state_of(r.run_id)))
$$;

CREATE FUNCTION settlement.check_dispute() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NEW.window_no IS DISTINCT FROM (
        SELECT min(e.window_no) FROM exchange.clearing_entries_v1 e
        WHERE e.bucket = settlement.bucket_of(NEW.transfer_id) AND e.transfer_id = NEW.transfer_id) THEN
        RAISE EXCEPTION 'transfer % is not of window %', NEW.transfer_id, NEW.window_no USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.minor_units
        + settlement.won(NEW.transfer_id, NEW.debtor, NEW.creditor, NEW.currency_code)
        + settlement.asked(NEW.transfer_id, NEW.debtor, NEW.creditor, NEW.currency_code)
        > floor(settlement.owed_micros(NEW.transfer_id, NEW.debtor, NEW.creditor, NEW.currency_code, 9223372036854775807)
                / NEW.unit_micros) THEN
        RAISE EXCEPTION 'more is claimed of transfer % than is left', NEW.transfer_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.treatment = 'HOLD_OUT' AND settlement.has_run(NEW.window_no) THEN
        RAISE EXCEPTION 'window % has a run that stands', NEW.window_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION settlement.begin_dispute() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO settlement.dispute_transitions
        (dispute_id, step_no, from_state, to_state, cause, at, actor, person, note, evidence)
    VALUES (NEW.dispute_id, 1, '', 'OPEN', 'CLAIM', NEW.at, NEW.actor, NEW.person, NEW.statement, NEW.evidence);
    RETURN NULL;
END $$;

CREATE FUNCTION settlement.check_dispute_transition() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    dispute settlement.disputes;
    steps integer;
BEGIN
    PERFORM settlement.take_turns();
    SELECT * INTO dispute FROM settlement.disputes WHERE dispute_id = NEW.dispute_id;
    SELECT count(*) INTO steps FROM settlement.dispute_transitions WHERE dispute_id = NEW.dispute_id;
    IF NEW.step_no <> steps + 1 OR NEW.from_state <> settlement.dispute_state(NEW.dispute_id) THEN
        RAISE EXCEPTION 'dispute % is not in state %', NEW.dispute_id, NEW.from_state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.upheld_minor_units > dispute.minor_units OR NEW.upheld_minor_units
        + settlement.won(dispute.transfer_id, dispute.debtor, dispute.creditor, dispute.currency_code)
        > floor(settlement.owed_micros(dispute.transfer_id, dispute.debtor, dispute.creditor, dispute.currency_code,
                                       9223372036854775807) / dispute.unit_micros) THEN
        RAISE EXCEPTION 'dispute % cannot win so much', NEW.dispute_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cause = 'DEADLINE' AND NEW.at < coalesce(
        (SELECT decision_due FROM settlement.dispute_transitions
         WHERE dispute_id = NEW.dispute_id AND to_state = 'CONTESTED'), dispute.answer_due) THEN
        RAISE EXCEPTION 'the deadline of dispute % is not over', NEW.dispute_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cause = 'DECISION' AND NOT EXISTS (
        SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
        WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'DISPUTE_DECISION' AND d.verdict = 'APPROVED'
          AND (p.content::jsonb ->> 'dispute')::uuid = NEW.dispute_id
          AND (p.content::jsonb ->> 'upheld_minor_units')::bigint = coalesce(NEW.upheld_minor_units, 0)) THEN
        RAISE EXCEPTION 'nobody decided so on dispute %', NEW.dispute_id USING ERRCODE = 'check_violation';
    END IF;
    IF settlement.has_run(NEW.release_window) THEN
        RAISE EXCEPTION 'window % has a run that stands', NEW.release_window USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION settlement.check_adjustment() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF settlement.has_run(NEW.window_no) THEN
        RAISE EXCEPTION 'window % has a run that stands', NEW.window_no USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cause = 'UPHELD' AND NOT EXISTS (
        SELECT FROM settlement.disputes d JOIN settlement.dispute_transitions t USING (dispute_id)
        WHERE d.dispute_id = NEW.dispute_id AND t.to_state = 'UPHELD' AND t.release_window = NEW.window_no
          AND (d.creditor, d.debtor, d.currency_code, t.upheld_minor_units, d.transfer_id)
            = (NEW.debtor, NEW.creditor, NEW.currency_code, NEW.minor_units, NEW.transfer_id)) THEN
        RAISE EXCEPTION 'dispute % did not win that', NEW.dispute_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cause = 'OVERTAKEN' AND NOT EXISTS (
        SELECT FROM settlement.disputes d
        WHERE d.dispute_id = NEW.dispute_id
          AND (d.transfer_id, d.debtor, d.creditor, d.currency_code)
            = (NEW.transfer_id, NEW.debtor, NEW.creditor, NEW.currency_code)
          AND NEW.minor_units <= settlement.won(d.transfer_id, d.debtor, d.creditor, d.currency_code)
            - floor(settlement.owed_micros(d.transfer_id, d.debtor, d.creditor, d.currency_code, NEW.window_no)
                    / d.unit_micros)) THEN
        RAISE EXCEPTION 'no reversal has overtaken that of transfer %', NEW.transfer_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.cause = 'AGREED' AND NOT EXISTS (
        SELECT FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
        WHERE p.proposal_id = NEW.proposal_id AND p.kind = 'ADJUSTMENT' AND d.verdict = 'APPROVED'
          AND (p.content::jsonb ->> 'debtor', p.content::jsonb ->> 'creditor', p.content::jsonb ->> 'currency',
               (p.content::jsonb ->> 'minor_units')::bigint)
            = (NEW.debtor, NEW.creditor, NEW.currency_code, NEW.minor_units)) THEN
        RAISE EXCEPTION 'nobody agreed to that adjustment' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_dispute BEFORE INSERT ON settlement.disputes
    FOR EACH ROW EXECUTE FUNCTION settlement.check_dispute();

CREATE TRIGGER begin_dispute AFTER INSERT ON settlement.disputes
    FOR EACH ROW EXECUTE FUNCTION settlement.begin_dispute();

CREATE TRIGGER check_dispute_transition BEFORE INSERT ON settlement.dispute_transitions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_dispute_transition();

CREATE TRIGGER check_adjustment BEFORE INSERT ON settlement.adjustments
    FOR EACH ROW EXECUTE FUNCTION settlement.check_adjustment();

GRANT SELECT ON settlement.dispute_steps TO exchange_server;

GRANT SELECT, INSERT ON settlement.disputes, settlement.dispute_transitions, settlement.dispute_owners,
    settlement.adjustments TO exchange_server
