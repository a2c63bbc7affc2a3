-- Changes of net debit caps that take two persons; before and after in micro-units, NULL where there is no cap.
CREATE TABLE exchange.cap_changes (
    change_id uuid PRIMARY KEY,
    request_id text NOT NULL UNIQUE,
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    currency_code text NOT NULL,
    before_micros bigint CHECK (before_micros >= 0),
    cap_micros bigint CHECK (cap_micros >= 0),
    reason text NOT NULL CHECK (reason <> ''),
    digest text NOT NULL,
    proposed_by text NOT NULL,
    proposed_person text NOT NULL,
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    decided_by text NOT NULL DEFAULT '',
    decided_person text,
    decided_at timestamptz,
    decision_note text NOT NULL DEFAULT '',
    CHECK (before_micros IS NOT NULL OR cap_micros IS NOT NULL),
    CHECK ((state = 1) = (decided_at IS NULL)),
    -- Whatever a program does: nobody says yes to his own proposal, nor does somebody unnamed.
    CHECK (state <> 2 OR (decided_person IS NOT NULL AND decided_person <> proposed_person))
);

CREATE INDEX cap_changes_waiting ON exchange.cap_changes (change_id) WHERE state = 1;

-- What was decided stays decided.
CREATE FUNCTION exchange.check_cap_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 1 THEN
        RAISE EXCEPTION 'change % of a cap is decided', OLD.change_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_cap_change BEFORE UPDATE ON exchange.cap_changes
    FOR EACH ROW EXECUTE FUNCTION exchange.check_cap_change();

GRANT SELECT, INSERT ON exchange.cap_changes TO exchange_server;

GRANT UPDATE (state, decided_by, decided_person, decided_at, decision_note) ON exchange.cap_changes TO exchange_server
