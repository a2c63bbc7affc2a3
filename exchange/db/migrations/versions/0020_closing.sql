-- Memberships that are over. What ended with them was posted when ended_at is there.
CREATE TABLE exchange.closed_members (
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    closing_id uuid NOT NULL,
    closed_at timestamptz NOT NULL,
    closed_by text NOT NULL,
    reason text NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (bucket, member_id)
);

CREATE INDEX closed_members_unfinished ON exchange.closed_members (closed_at) WHERE ended_at IS NULL;

-- On the account, because whoever moves points has locked and read that row anyway.
ALTER TABLE exchange.accounts ADD COLUMN is_closed boolean NOT NULL DEFAULT false;

GRANT SELECT, INSERT ON exchange.closed_members TO exchange_server;

GRANT UPDATE (ended_at) ON exchange.closed_members TO exchange_server;

GRANT UPDATE (is_closed) ON exchange.accounts TO exchange_server
