-- One lock for every step of every settlement: they are rare, and each looks at the runs of its neighbours.
CREATE FUNCTION settlement.take_turns() RETURNS void LANGUAGE sql VOLATILE
AS 'SELECT pg_advisory_xact_lock(7498, 0)';

ALTER TABLE settlement.runs ADD COLUMN created_person text CHECK (created_person = lower(created_person));

-- A digest that is not that of the stored result binds nobody to anything.
ALTER TABLE settlement.runs ADD CONSTRAINT runs_digest
    CHECK (digest = encode(sha256(convert_to(result, 'UTF8')), 'hex'));

-- Who cut a window off, as a person where the credential names one.
CREATE TABLE settlement.window_closings (
    window_no bigint PRIMARY KEY,
    actor text NOT NULL,
    person text CHECK (person = lower(person)),
    at timestamptz NOT NULL
);

-- ------------------------------------------------------------------------------------------------ a run's life
-- The steps there are. What is not here is illegal; later chapters of a run's life add their rows.
CREATE TABLE settlement.run_steps (
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);

INSERT INTO settlement.run_steps VALUES
    ('', 'CALCULATED'),
    ('CALCULATED', 'SUBMITTED'), ('CALCULATED', 'VOIDED'), ('CALCULATED', 'CANCELLED'),
    ('SUBMITTED', 'APPROVED'), ('SUBMITTED', 'REJECTED'), ('SUBMITTED', 'VOIDED'), ('SUBMITTED', 'CANCELLED'),
    ('APPROVED', 'VOIDED'), ('APPROVED', 'CANCELLED');

CREATE TABLE settlement.run_transitions (
    run_id uuid NOT NULL REFERENCES settlement.runs,
    step_no integer NOT NULL CHECK (step_no > 0),
    from_state text NOT NULL,
    to_state text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    person text CHECK (person = lower(person)),
    reason text NOT NULL,
    checkers_needed smallint CHECK (checkers_needed >= 1),
    PRIMARY KEY (run_id, step_no),
    FOREIGN KEY (from_state, to_state) REFERENCES settlement.run_steps,
    CHECK ((to_state = 'SUBMITTED') = (checkers_needed IS NOT NULL)),
    CHECK (to_state <> 'SUBMITTED' OR person IS NOT NULL)
);

CREATE TABLE settlement.run_decisions (
    run_id uuid NOT NULL REFERENCES settlement.runs,
    person text NOT NULL CHECK (person = lower(person) AND person <> ''),
    verdict text NOT NULL CHECK (verdict IN ('APPROVED', 'REJECTED')),
    digest text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor LIKE 'FINANCE_CHECKER:%'),
    reason text NOT NULL,
    PRIMARY KEY (run_id, person)
);

CREATE FUNCTION settlement.state_of(run uuid) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce((SELECT to_state FROM settlement.run_transitions WHERE run_id = run ORDER BY step_no DESC LIMIT 1), '')
$$;

-- Whether a run may still become, or is, what a window settles to.
CREATE FUNCTION settlement.is_live(state text) RETURNS boolean LANGUAGE sql IMMUTABLE
AS $$ SELECT state NOT IN ('VOIDED', 'REJECTED', 'CANCELLED') $$;

-- Whether enough checkers said yes, and nothing has taken it back since.
CREATE FUNCTION settlement.is_approved(run uuid) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT settlement.is_live(settlement.state_of(run)) AND EXISTS (
        SELECT FROM settlement.run_transitions WHERE run_id = run AND to_state = 'APPROVED')
$$;

-- Everybody whose work on a run a checker checks: who cut the window off, calculated, submitted.
CREATE FUNCTION settlement.makers_of(run uuid) RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
    SELECT c.person FROM settlement.runs r JOIN settlement.window_closings c USING (window_no)
    WHERE r.run_id = run AND c.person IS NOT NULL
    UNION SELECT r.created_person FROM settlement.runs r WHERE r.run_id = run AND r.created_person IS NOT NULL
    UNION SELECT t.person FROM settlement.run_transitions t WHERE t.run_id = run AND t.to_state = 'SUBMITTED'
$$;

CREATE FUNCTION settlement.check_run() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF EXISTS (SELECT FROM settlement.runs r
               WHERE r.window_no = NEW.window_no AND settlement.is_live(settlement.state_of(r.run_id))) THEN
        RAISE EXCEPTION 'window % has a run that stands', NEW.window_no USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.before_run IS NOT NULL AND NOT settlement.is_live(settlement.state_of(NEW.before_run)) THEN
        RAISE EXCEPTION 'run % no longer stands', NEW.before_run USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION settlement.begin_run() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO settlement.run_transitions (run_id, step_no, from_state, to_state, at, actor, person, reason)
    VALUES (NEW.run_id, 1, '', 'CALCULATED', NEW.created_at, NEW.created_by, NEW.created_person, '');
    RETURN NULL;
END $$;

CREATE FUNCTION settlement.check_decision() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF settlement.state_of(NEW.run_id) <> 'SUBMITTED' THEN
        RAISE EXCEPTION 'run % is not submitted', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.digest IS DISTINCT FROM (SELECT digest FROM settlement.runs WHERE run_id = NEW.run_id) THEN
        RAISE EXCEPTION 'the digest is not that of run %', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.person IN (SELECT * FROM settlement.makers_of(NEW.run_id)) THEN
        RAISE EXCEPTION '% made run % and cannot check it', NEW.person, NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION settlement.check_transition() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    steps integer;
    needed integer;
    before uuid;
BEGIN
    PERFORM settlement.take_turns();
    SELECT count(*) INTO steps FROM settlement.run_transitions WHERE run_id = NEW.run_id;
    IF NEW.step_no <> steps + 1 OR NEW.from_state <> settlement.state_of(NEW.run_id) THEN
        RAISE EXCEPTION 'run % is not in state %', NEW.run_id, NEW.from_state USING ERRCODE = 'check_violation';
    END IF;
    IF NOT settlement.is_live(NEW.to_state) AND EXISTS (
        SELECT FROM settlement.runs r
        WHERE r.before_run = NEW.run_id AND settlement.is_live(settlement.state_of(r.run_id))) THEN
        RAISE EXCEPTION 'another run builds on run %', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.to_state = 'SUBMITTED' THEN
        SELECT before_run INTO before FROM settlement.runs WHERE run_id = NEW.run_id;
        IF before IS NOT NULL AND NOT settlement.is_approved(before) THEN
            RAISE EXCEPTION 'run % builds on one that is not approved', NEW.run_id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.to_state = 'APPROVED' THEN
        SELECT checkers_needed INTO needed FROM settlement.run_transitions
        WHERE run_id = NEW.run_id AND to_state = 'SUBMITTED';
        IF needed > (SELECT count(*) FROM settlement.run_decisions
                     WHERE run_id = NEW.run_id AND verdict = 'APPROVED') THEN
            RAISE EXCEPTION 'run % needs % checkers', NEW.run_id, needed USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.to_state = 'APPROVED' AND EXISTS (
        SELECT FROM settlement.run_decisions WHERE run_id = NEW.run_id AND verdict = 'REJECTED') THEN
        RAISE EXCEPTION 'run % was rejected', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE INDEX runs_by_run_before ON settlement.runs (before_run);

-- Runs made before: the newest of a window is calculated, those before it were voided by it.
INSERT INTO settlement.run_transitions (run_id, step_no, from_state, to_state, at, actor, reason)
SELECT run_id, 1, '', 'CALCULATED', created_at, created_by, '' FROM settlement.runs;

INSERT INTO settlement.run_transitions (run_id, step_no, from_state, to_state, at, actor, reason)
SELECT r.run_id, 2, 'CALCULATED', 'VOIDED', n.created_at, n.created_by, 'another run of the window'
FROM settlement.runs r
JOIN LATERAL (SELECT created_at, created_by FROM settlement.runs n
              WHERE n.window_no = r.window_no AND n.order_no > r.order_no ORDER BY n.order_no LIMIT 1) n ON true;

CREATE TRIGGER check_run BEFORE INSERT ON settlement.runs FOR EACH ROW EXECUTE FUNCTION settlement.check_run();

CREATE TRIGGER begin_run AFTER INSERT ON settlement.runs FOR EACH ROW EXECUTE FUNCTION settlement.begin_run();

CREATE TRIGGER check_decision BEFORE INSERT ON settlement.run_decisions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_decision();

CREATE TRIGGER check_transition BEFORE INSERT ON settlement.run_transitions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_transition();

GRANT SELECT ON settlement.run_steps TO exchange_server;

GRANT SELECT, INSERT ON settlement.window_closings, settlement.run_transitions, settlement.run_decisions
    TO exchange_server
