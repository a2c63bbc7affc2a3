-- Nobody gives up more than it has left to claim, who bears nothing gives nothing up, what a run lacks is not given up, and
-- nobody gives up before those repaid later.
CREATE OR REPLACE FUNCTION settlement.check_given_up() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (
        SELECT FROM settlement.default_stakes s
        WHERE s.proposal_id = NEW.default_id AND s.currency_code = NEW.currency_code AND s.written_off <> 0
          AND (s.turn = 1 OR s.written_off < 0 OR s.repaid + s.written_off > s.borne OR EXISTS (
              SELECT FROM settlement.default_stakes later
              WHERE (later.proposal_id, later.currency_code) = (s.proposal_id, s.currency_code) AND later.turn > s.turn
                AND later.repaid + later.written_off < later.borne)))
        OR NEW.minor_units > (SELECT coalesce(sum((lost ->> 'minor_units')::bigint), 0)
            FROM settlement.proposals p CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'losses') AS lost
            WHERE p.proposal_id = NEW.proposal_id AND EXISTS (
                SELECT FROM settlement.default_stakes s
                WHERE (s.proposal_id, s.currency_code) = (NEW.default_id, NEW.currency_code)
                  AND (s.participant, s.purpose) = (lost ->> 'participant', lost ->> 'purpose'))) THEN
        RAISE EXCEPTION 'proposal % gives up what nobody has to give', NEW.proposal_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
