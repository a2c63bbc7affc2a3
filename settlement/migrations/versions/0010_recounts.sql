-- What the transfers of a run's window came to when they were counted again; good or bad, and never changed.
CREATE TABLE settlement.run_recounts (
    run_id uuid NOT NULL REFERENCES settlement.runs,
    run_digest text NOT NULL,
    document text NOT NULL,
    digest text NOT NULL CHECK (digest = encode(sha256(convert_to(document, 'UTF8')), 'hex')),
    transfers bigint NOT NULL CHECK (transfers >= 0),
    obligations bigint NOT NULL CHECK (obligations >= 0),
    passed boolean NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    person text CHECK (person = lower(person)),
    order_no bigint GENERATED ALWAYS AS IDENTITY
);

CREATE INDEX run_recounts_by_run ON settlement.run_recounts (run_id, order_no);

-- The pairs a run nets, as its own result tells them.
CREATE FUNCTION settlement.pairs_of(run uuid)
RETURNS TABLE (currency text, debtor text, creditor text, micros numeric, obligations bigint) LANGUAGE sql STABLE AS $$
    SELECT one ->> 'currency', pair ->> 'debtor', pair ->> 'creditor', (pair ->> 'micros')::numeric,
           (pair ->> 'obligations')::bigint
    FROM settlement.runs r
    CROSS JOIN LATERAL jsonb_array_elements(r.result::jsonb -> 'currencies') AS one
    CROSS JOIN LATERAL jsonb_array_elements(one -> 'pairs') AS pair
    WHERE r.run_id = run AND ((pair ->> 'obligations')::bigint <> 0 OR (pair ->> 'micros')::numeric <> 0)
$$;

-- Whoever writes a recount hands in what was counted; whether that is what the run says is decided here.
CREATE FUNCTION settlement.check_recount() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    NEW.passed := coalesce(NEW.run_digest = (SELECT digest FROM settlement.runs WHERE run_id = NEW.run_id), false)
        AND NOT EXISTS (
            WITH counted AS (
                SELECT pair ->> 'currency', pair ->> 'debtor', pair ->> 'creditor', (pair ->> 'micros')::numeric,
                       (pair ->> 'obligations')::bigint
                FROM jsonb_array_elements(NEW.document::jsonb -> 'pairs') AS pair
            )
            (TABLE counted EXCEPT ALL SELECT * FROM settlement.pairs_of(NEW.run_id))
            UNION ALL
            (SELECT * FROM settlement.pairs_of(NEW.run_id) EXCEPT ALL TABLE counted)
        );
    RETURN NEW;
END $$;

CREATE TRIGGER check_recount BEFORE INSERT ON settlement.run_recounts
    FOR EACH ROW EXECUTE FUNCTION settlement.check_recount();

-- Whether the newest recount of a run passed.
CREATE FUNCTION settlement.is_recounted(run uuid) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT coalesce((SELECT passed FROM settlement.run_recounts WHERE run_id = run ORDER BY order_no DESC LIMIT 1), false)
$$;

CREATE FUNCTION settlement.check_recounted() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NEW.to_state IN ('SUBMITTED', 'APPROVED') AND NOT settlement.is_recounted(NEW.run_id) THEN
        RAISE EXCEPTION 'run % was not recounted from the transfers', NEW.run_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_recounted BEFORE INSERT ON settlement.run_transitions
    FOR EACH ROW EXECUTE FUNCTION settlement.check_recounted();

GRANT SELECT, INSERT ON settlement.run_recounts TO exchange_server
