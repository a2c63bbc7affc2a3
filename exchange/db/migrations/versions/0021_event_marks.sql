-- Up to which place everything had happened at an instant: so that what is old is known without looking at transfers.
CREATE TABLE exchange.event_marks (
    place bigint PRIMARY KEY,
    marked_at timestamptz NOT NULL
);

GRANT SELECT ON exchange.event_marks TO exchange_server;

-- The server deletes no event and moves no horizon itself: these functions do, and let go of nothing that is young.
CREATE FUNCTION exchange.mark_events(reached bigint, every interval) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
    INSERT INTO exchange.event_marks (place, marked_at)
    SELECT reached, exchange.coalition_now()
    WHERE reached > coalesce((SELECT max(place) FROM exchange.event_marks), 0)
      AND NOT EXISTS (SELECT FROM exchange.event_marks WHERE marked_at > exchange.coalition_now() - every)
    ON CONFLICT DO NOTHING
$$;

-- The place before which nothing is kept from now on; it only ever advances.
CREATE FUNCTION exchange.move_event_horizon(keep interval) RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    reached bigint;
BEGIN
    IF keep < interval '1 day' THEN
        RAISE EXCEPTION 'events are kept for a day at least' USING ERRCODE = 'check_violation';
    END IF;
    SELECT place INTO reached FROM exchange.event_horizon FOR UPDATE;
    reached := greatest(reached, (SELECT max(place) FROM exchange.event_marks
                                  WHERE marked_at <= exchange.coalition_now() - keep));
    UPDATE exchange.event_horizon SET place = reached WHERE place < reached;
    DELETE FROM exchange.event_marks WHERE place < reached;
    RETURN reached;
END $$;

-- How many events were let go of, all before the horizon. Whoever does the same at once takes others.
CREATE FUNCTION exchange.drop_events(at_most integer) RETURNS bigint LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog AS $$
    WITH old AS (
        SELECT sequence FROM exchange.events WHERE sequence <= (SELECT place FROM exchange.event_horizon)
        ORDER BY sequence LIMIT at_most FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM exchange.events e USING old WHERE e.sequence = old.sequence RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

REVOKE EXECUTE ON FUNCTION exchange.mark_events, exchange.move_event_horizon, exchange.drop_events FROM PUBLIC;

GRANT EXECUTE ON FUNCTION exchange.mark_events, exchange.move_event_horizon, exchange.drop_events TO exchange_server
