-- What happened besides transfers: a place in the order of the ledger's sequences, of which each event draws a block.
-- audience: numbers of the merchants that may see it; NULL: everybody who may see the kind.
CREATE TABLE exchange.events (
    sequence bigint PRIMARY KEY,
    kind smallint NOT NULL,
    occurred_at timestamptz NOT NULL,
    resource text NOT NULL,
    audience integer[],
    detail jsonb
);

-- The place before which events are kept no longer, transfers among them.
CREATE TABLE exchange.event_horizon (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    place bigint NOT NULL
);

INSERT INTO exchange.event_horizon (place) VALUES (0);

GRANT SELECT, INSERT ON exchange.events TO exchange_server;

GRANT SELECT ON exchange.event_horizon TO exchange_server;

-- To see how many blocks were drawn; drawing was granted before.
GRANT SELECT ON SEQUENCE exchange.ledger_blocks TO exchange_server
