-- Whoever is about to be told of a member's points is found by member.
CREATE INDEX member_links_by_member ON exchange.member_links (bucket, member_id);

-- For each number of days before: the last day of expiry that was told of.
CREATE TABLE exchange.notice_marks (
    days smallint PRIMARY KEY,
    noticed_through date NOT NULL
);

INSERT INTO exchange.notice_marks (days, noticed_through) VALUES (30, '0001-01-01'), (7, '0001-01-01'), (1, '0001-01-01');

-- What is to be told and was not yet: rows come and go.
CREATE TABLE exchange.notices_to_make (
    notice_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    days smallint NOT NULL,
    bucket smallint NOT NULL,
    member_id uuid NOT NULL,
    currency_no integer NOT NULL,
    units numeric NOT NULL,
    ends_at timestamptz NOT NULL
);

GRANT SELECT ON exchange.notice_marks TO exchange_server;

GRANT UPDATE (noticed_through) ON exchange.notice_marks TO exchange_server;

-- To take a row is to lock it, and for that alone PostgreSQL asks for the right to change it.
GRANT SELECT, INSERT, UPDATE (notice_no), DELETE ON exchange.notices_to_make TO exchange_server
