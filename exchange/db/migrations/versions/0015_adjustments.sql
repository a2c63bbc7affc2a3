-- Points given or taken by two persons. What was approved and not answered yet has state 2.
CREATE TABLE exchange.adjustments (
    adjustment_id uuid PRIMARY KEY,
    merchant_no integer REFERENCES exchange.merchants,
    request_id text NOT NULL,
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency text NOT NULL,
    direction smallint NOT NULL CHECK (direction IN (1, 2)),
    units bigint NOT NULL CHECK (units > 0),
    reason smallint NOT NULL,
    note text NOT NULL,
    funder text NOT NULL,
    digest text NOT NULL,
    proposed_by text NOT NULL,
    proposed_person text,
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    decided_by text NOT NULL DEFAULT '',
    decided_person text,
    decided_at timestamptz,
    decision_note text NOT NULL DEFAULT '',
    transfer_id uuid,
    refusal text NOT NULL DEFAULT '',
    -- Whatever a program does: nobody says yes to his own proposal, nor does somebody unnamed.
    CHECK (state NOT IN (2, 3, 4) OR (decided_person IS NOT NULL AND decided_person IS DISTINCT FROM proposed_person)),
    CHECK (merchant_no IS NOT NULL OR proposed_person IS NOT NULL),
    CHECK ((state = 3) = (transfer_id IS NOT NULL)),
    CHECK ((state = 4) = (refusal <> ''))
);

CREATE UNIQUE INDEX adjustments_by_key ON exchange.adjustments (coalesce(merchant_no, 0), request_id);

CREATE INDEX adjustments_by_merchant ON exchange.adjustments (merchant_no, adjustment_id);

CREATE INDEX adjustments_unanswered ON exchange.adjustments (adjustment_id) WHERE state = 2;

CREATE INDEX adjustments_waiting ON exchange.adjustments (merchant_no) WHERE state = 1;

GRANT SELECT, INSERT ON exchange.adjustments TO exchange_server;

GRANT UPDATE (state, decided_by, decided_person, decided_at, decision_note, transfer_id, refusal)
    ON exchange.adjustments TO exchange_server
