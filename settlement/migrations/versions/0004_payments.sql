-- ------------------------------------------------------------------------------------------------ bank details
-- A version counts from its confirmation on, by another person. Nothing here is ever changed.
CREATE TABLE settlement.bank_details (
    participant text NOT NULL,
    currency_code text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    holder text NOT NULL CHECK (holder <> ''),
    iban text NOT NULL,
    number text NOT NULL,
    bic text NOT NULL,
    clearing_system text NOT NULL,
    clearing_member text NOT NULL,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    set_person text NOT NULL CHECK (set_person = lower(set_person) AND set_person <> ''),
    PRIMARY KEY (participant, currency_code, version),
    UNIQUE (participant, currency_code, version, set_person),
    CHECK ((iban = '') <> (number = '')),
    CHECK ((bic = '') = (clearing_system <> '' AND clearing_member <> ''))
);

CREATE TABLE settlement.bank_details_confirmations (
    participant text NOT NULL,
    currency_code text NOT NULL,
    version integer NOT NULL,
    set_person text NOT NULL,
    confirmed_at timestamptz NOT NULL,
    confirmed_by text NOT NULL,
    confirmed_person text NOT NULL CHECK (confirmed_person = lower(confirmed_person) AND confirmed_person <> ''),
    PRIMARY KEY (participant, currency_code, version),
    FOREIGN KEY (participant, currency_code, version, set_person)
        REFERENCES settlement.bank_details (participant, currency_code, version, set_person),
    CHECK (confirmed_person <> set_person)
);

-- ------------------------------------------------------------------------------------------------ payments
INSERT INTO settlement.run_steps VALUES
    ('APPROVED', 'INSTRUCTED'),
    ('INSTRUCTED', 'PARTIALLY_SETTLED'), ('INSTRUCTED', 'SETTLED'),
    ('PARTIALLY_SETTLED', 'INSTRUCTED'), ('PARTIALLY_SETTLED', 'SETTLED'),
    ('SETTLED', 'PARTIALLY_SETTLED'), ('SETTLED', 'INSTRUCTED');

-- The second key: no window pays anybody twice, whichever of its runs is instructed.
CREATE TABLE settlement.payment_legs (
    run_id uuid NOT NULL REFERENCES settlement.runs,
    leg_no integer NOT NULL CHECK (leg_no > 0),
    window_no bigint NOT NULL,
    currency_code text NOT NULL,
    payer text NOT NULL,
    payee text NOT NULL,
    minor_units bigint NOT NULL CHECK (minor_units > 0),
    PRIMARY KEY (run_id, leg_no),
    UNIQUE (window_no, currency_code, payer, payee),
    UNIQUE (run_id, leg_no, currency_code),
    CHECK (payer <> payee)
);

CREATE TABLE settlement.payment_files (
    message_id text PRIMARY KEY CHECK (length(message_id) <= 35),
    run_id uuid NOT NULL REFERENCES settlement.runs,
    currency_code text NOT NULL,
    batch_no integer NOT NULL CHECK (batch_no > 0),
    format text NOT NULL,
    execution_date date NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    created_person text NOT NULL CHECK (created_person = lower(created_person) AND created_person <> ''),
    payments integer NOT NULL CHECK (payments > 0),
    control_sum numeric(38) NOT NULL CHECK (control_sum > 0),
    operator_version integer NOT NULL,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    UNIQUE (run_id, currency_code, batch_no),
    UNIQUE (message_id, currency_code, run_id),
    CHECK (sha256 = encode(sha256(content), 'hex'))
);

CREATE TABLE settlement.payment_steps (
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);

INSERT INTO settlement.payment_steps VALUES
    ('CREATED', 'EXPORTED'),
    ('EXPORTED', 'ACCEPTED'), ('EXPORTED', 'SETTLED'), ('EXPORTED', 'REJECTED'),
    ('ACCEPTED', 'SETTLED'), ('ACCEPTED', 'REJECTED'),
    ('SETTLED', 'RETURNED');

CREATE TABLE settlement.payment_attempts (
    end_to_end_id text PRIMARY KEY CHECK (length(end_to_end_id) <= 35),
    run_id uuid NOT NULL,
    leg_no integer NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    currency_code text NOT NULL,
    message_id text NOT NULL,
    block_id text NOT NULL,
    payer_version integer NOT NULL,
    payee_version integer NOT NULL,
    state text NOT NULL DEFAULT 'EXPORTED',
    UNIQUE (run_id, leg_no, attempt),
    FOREIGN KEY (run_id, leg_no, currency_code) REFERENCES settlement.payment_legs (run_id, leg_no, currency_code),
    FOREIGN KEY (message_id, currency_code, run_id)
        REFERENCES settlement.payment_files (message_id, currency_code, run_id)
);

-- A leg is tried again only after the attempt before has failed for good.
CREATE UNIQUE INDEX one_attempt_under_way ON settlement.payment_attempts (run_id, leg_no)
    WHERE state NOT IN ('REJECTED', 'RETURNED');

CREATE INDEX attempts_by_file ON settlement.payment_attempts (message_id);

CREATE INDEX attempts_under_way ON settlement.payment_attempts (state) WHERE state IN ('EXPORTED', 'ACCEPTED');

CREATE TABLE settlement.payment_events (
    event_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    end_to_end_id text NOT NULL REFERENCES settlement.payment_attempts,
    from_state text NOT NULL,
    to_state text NOT NULL,
    at timestamptz NOT NULL,
    booked_on date,
    reason text NOT NULL,
    source text NOT NULL,
    actor text NOT NULL,
    FOREIGN KEY (from_state, to_state) REFERENCES settlement.payment_steps
);

CREATE INDEX events_by_attempt ON settlement.payment_events (end_to_end_id, event_no);

CREATE FUNCTION settlement.check_leg() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF settlement.state_of(NEW.run_id) <> 'APPROVED' THEN
        RAISE EXCEPTION 'run % is not approved', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    -- Only what was approved is paid: the leg stands, with this amount, in the result the checkers were shown.
    IF NOT EXISTS (
        SELECT FROM settlement.runs r,
             jsonb_array_elements(r.result::jsonb -> 'currencies') c, jsonb_array_elements(c -> 'payments') p
        WHERE r.run_id = NEW.run_id AND r.window_no = NEW.window_no AND c ->> 'currency' = NEW.currency_code
          AND p ->> 'payer' = NEW.payer AND p ->> 'payee' = NEW.payee AND (p ->> 'amount')::numeric = NEW.minor_units) THEN
        RAISE EXCEPTION 'run % asks for no such payment', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_leg BEFORE INSERT ON settlement.payment_legs
    FOR EACH ROW EXECUTE FUNCTION settlement.check_leg();

CREATE FUNCTION settlement.check_file() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NEW.created_person IN (SELECT person FROM settlement.run_decisions
                              WHERE run_id = NEW.run_id AND verdict = 'APPROVED') THEN
        RAISE EXCEPTION '% approved run % and cannot export it', NEW.created_person, NEW.run_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_file BEFORE INSERT ON settlement.payment_files
    FOR EACH ROW EXECUTE FUNCTION settlement.check_file();

-- What an attempt is, and what its last step made it, cannot part: nobody else may change the state.
CREATE FUNCTION settlement.check_step() RETURNS trigger LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.from_state <> 'CREATED' THEN
        UPDATE settlement.payment_attempts SET state = NEW.to_state
        WHERE end_to_end_id = NEW.end_to_end_id AND state = NEW.from_state;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'payment % is not %', NEW.end_to_end_id, NEW.from_state USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_step BEFORE INSERT ON settlement.payment_events
    FOR EACH ROW EXECUTE FUNCTION settlement.check_step();

-- ------------------------------------------------------------------------------------------------ bank answers
CREATE TABLE settlement.bank_messages (
    sha256 text PRIMARY KEY,
    name text NOT NULL,
    bank_message_id text NOT NULL,
    received_at timestamptz NOT NULL,
    received_by text NOT NULL,
    content bytea NOT NULL,
    CHECK (sha256 = encode(sha256(content), 'hex'))
);

-- What every line said, and what became of it. account and what follows: of bookings only.
CREATE TABLE settlement.bank_lines (
    sha256 text NOT NULL REFERENCES settlement.bank_messages,
    line_no integer NOT NULL CHECK (line_no > 0),
    said text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('APPLIED', 'KNOWN', 'EXCEPTION')),
    end_to_end_id text REFERENCES settlement.payment_attempts,
    currency_code text,
    amount numeric,
    account text,
    is_credit boolean,
    booked_on date,
    reference text,
    PRIMARY KEY (sha256, line_no)
);

CREATE INDEX bank_lines_by_attempt ON settlement.bank_lines (end_to_end_id) WHERE account IS NOT NULL;

CREATE TABLE settlement.payment_exceptions (
    exception_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 text NOT NULL,
    line_no integer NOT NULL,
    kind text NOT NULL,
    end_to_end_id text REFERENCES settlement.payment_attempts,
    raised_at timestamptz NOT NULL,
    FOREIGN KEY (sha256, line_no) REFERENCES settlement.bank_lines (sha256, line_no)
);

-- An exception ends once. With an attempt: the line was that attempt's after all.
CREATE TABLE settlement.exception_resolutions (
    exception_no bigint PRIMARY KEY REFERENCES settlement.payment_exceptions,
    end_to_end_id text REFERENCES settlement.payment_attempts,
    note text NOT NULL CHECK (note <> ''),
    resolved_at timestamptz NOT NULL,
    resolved_by text NOT NULL,
    resolved_person text NOT NULL CHECK (resolved_person = lower(resolved_person) AND resolved_person <> '')
);

GRANT SELECT, INSERT ON settlement.bank_details, settlement.bank_details_confirmations, settlement.payment_legs,
    settlement.payment_files, settlement.payment_attempts, settlement.payment_events, settlement.bank_messages,
    settlement.bank_lines, settlement.payment_exceptions, settlement.exception_resolutions TO exchange_server;

GRANT SELECT ON settlement.payment_steps TO exchange_server
