-- What a member's conversions under way will give here: a few rows at any time, however many have ended.
CREATE INDEX external_conversions_pending ON exchange.external_conversions (bucket, member_id)
    WHERE is_debit AND transfer_id IS NULL
