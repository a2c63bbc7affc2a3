-- For counting from the transfers themselves: a row's place in the table lets a reader take the table piece by piece and
-- each page once, which no order of its columns does. A place means something within one snapshot only.
CREATE VIEW exchange.clearing_transfers_v1 AS
SELECT t.ctid AS place, t.window_no, t.obligations FROM exchange.transfers t;

GRANT SELECT ON exchange.clearing_transfers_v1 TO exchange_server
