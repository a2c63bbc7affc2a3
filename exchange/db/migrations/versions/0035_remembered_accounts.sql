-- The effects of a batch, all or none. The fence is held from here to the end of the transaction, and so it is when the
-- block is drawn: readers of the order of events rely on it. Each statement sees what was committed before it began, so
-- nothing is looked at before the fence is had.
--
-- Accounts first, in their order, then totals, then keys: the lock order. An account that has moved since the batch was
-- decided has another last sequence; with it every lot of the account may have changed. `is_locked`: the batch has held
-- the fence and the accounts since before it read them, and may end what is left of a membership that is over. Without
-- locks, what was seen long ago is not written any more: a price may have begun to hold since, and lots may have ended.
CREATE OR REPLACE FUNCTION exchange.post_batch(
    keys exchange.new_request_key[],
    moved exchange.new_transfer[],
    made exchange.new_lot[],
    spent exchange.lot_state[],
    opened exchange.account_change[],
    changed exchange.account_change[],
    owed exchange.window_totals[],
    decided_at timestamptz,
    seen_generation bigint,
    seen_version bigint,
    seen_window bigint,
    is_locked boolean
) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    first bigint;
    rows_written bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'what is proved here must be younger than the fence: not at isolation level %',
            current_setting('transaction_isolation') USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(123623812527219);
    SELECT nextval('exchange.ledger_blocks') * 1000 INTO first
    FROM exchange.coalition c
    WHERE c.generation = seen_generation AND c.directory_version = seen_version AND c.halted_at IS NULL
        AND EXISTS (SELECT FROM exchange.clearing_windows w WHERE w.window_no = seen_window AND w.closed_at IS NULL)
        AND (is_locked OR decided_at BETWEEN clock_timestamp() + c.clock_offset - interval '30 seconds'
                                     AND clock_timestamp() + c.clock_offset);
    IF first IS NULL THEN
        RETURN NULL;
    END IF;
    IF cardinality(opened) > 0 THEN
        INSERT INTO exchange.accounts
            (bucket, member_id, currency_no, available_units, last_sequence, held_units, overdrawn_units)
        SELECT bucket, member_id, currency_no, available_units, last_sequence, held_units, overdrawn_units
        FROM unnest(opened) AS o
        WHERE NOT EXISTS (SELECT FROM exchange.closed_members c
                          WHERE c.bucket = o.bucket AND c.member_id = o.member_id)
        ORDER BY bucket, member_id, currency_no
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS rows_written = ROW_COUNT;
        IF rows_written <> cardinality(opened) THEN
            RAISE EXCEPTION 'an account was made since the batch was decided' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    UPDATE exchange.accounts a
    SET available_units = b.available_units, last_sequence = b.last_sequence, held_units = b.held_units,
        overdrawn_units = b.overdrawn_units
    FROM unnest(changed) AS b
    WHERE a.bucket = b.bucket AND a.member_id = b.member_id AND a.currency_no = b.currency_no
        AND a.last_sequence = b.sequence_before AND (is_locked OR NOT a.is_closed);
    GET DIAGNOSTICS rows_written = ROW_COUNT;
    IF rows_written <> cardinality(changed) THEN
        RAISE EXCEPTION 'an account has moved since the batch was decided' USING ERRCODE = 'serialization_failure';
    END IF;
    UPDATE exchange.lots l
    SET remaining_units = s.remaining_units, is_open = s.remaining_units > 0, held_units = s.held_units
    FROM unnest(spent) AS s
    WHERE l.bucket = s.bucket AND l.lot_id = s.lot_id;
    GET DIAGNOSTICS rows_written = ROW_COUNT;
    IF rows_written <> cardinality(spent) THEN
        RAISE EXCEPTION 'a lot is not there any more' USING ERRCODE = 'data_exception';
    END IF;
    WITH kept AS (
        INSERT INTO exchange.request_keys
            (bucket, merchant_no, request_id, fingerprint, transfer_bucket, transfer_id, refusal, decided_at)
        SELECT bucket, merchant_no, request_id, fingerprint, transfer_bucket, transfer_id, refusal, decided_at
        FROM unnest(keys)
    ), told AS (
        INSERT INTO exchange.transfers
            (bucket, transfer_id, kind, merchant_no, member_id, request_id, reference, occurred_at, ledger_sequence,
             window_no, rate_id, legs, obligations, original_id, expires_at, frozen_price_micros, earn_rule,
             spend_minor, carried_minor)
        SELECT bucket, transfer_id, kind, merchant_no, member_id, request_id, reference, occurred_at,
             first + ledger_sequence, window_no, rate_id, legs, obligations, original_id, expires_at,
             frozen_price_micros, earn_rule, spend_minor, carried_minor
        FROM unnest(moved)
    ), begun AS (
        INSERT INTO exchange.lots
            (bucket, lot_id, member_id, currency_no, units, remaining_units, funder_no, price_micros, earned_at,
             expires_at, transfer_id, is_open, held_units)
        SELECT bucket, lot_id, member_id, currency_no, units, remaining_units, funder_no, price_micros, earned_at,
             expires_at, transfer_id, remaining_units > 0, held_units
        FROM unnest(made)
    )
    INSERT INTO exchange.window_totals AS t
        (window_no, slice, debtor_no, creditor_no, currency_code, kind, micros, obligations)
    SELECT window_no, slice, debtor_no, creditor_no, currency_code, kind, micros, obligations
    FROM unnest(owed)
    ON CONFLICT (window_no, slice, debtor_no, creditor_no, currency_code, kind) DO UPDATE
    SET micros = t.micros + excluded.micros, obligations = t.obligations + excluded.obligations;
    RETURN first;
END $$
