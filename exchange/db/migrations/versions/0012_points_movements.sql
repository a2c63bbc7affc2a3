-- What transfers put into lots and took out of them, with who paid for the points: what a liability rolls by.
CREATE VIEW exchange.points_movements_v1 AS
SELECT t.window_no, t.kind, l.side, c.code AS currency, i.merchant_id AS issuer, f.merchant_id AS funder,
       c.settlement_currency AS money, l.units, p.price_micros
FROM exchange.transfers t
CROSS JOIN LATERAL unnest(t.legs) AS l
JOIN exchange.lots p ON p.bucket = t.bucket AND p.lot_id = l.lot_id
JOIN exchange.currencies c ON c.currency_no = l.currency_no
JOIN exchange.merchants i ON i.merchant_no = c.issuer_no
JOIN exchange.merchants f ON f.merchant_no = p.funder_no;

-- What lies in the lots now, reserved points included.
CREATE VIEW exchange.points_outstanding_v1 AS
SELECT c.code AS currency, i.merchant_id AS issuer, f.merchant_id AS funder, c.settlement_currency AS money,
       sum(p.remaining_units + p.held_units) AS units,
       sum((p.remaining_units + p.held_units)::numeric * p.price_micros) AS micros
FROM exchange.lots p
JOIN exchange.currencies c ON c.currency_no = p.currency_no
JOIN exchange.merchants i ON i.merchant_no = c.issuer_no
JOIN exchange.merchants f ON f.merchant_no = p.funder_no
GROUP BY c.code, i.merchant_id, f.merchant_id, c.settlement_currency;

GRANT SELECT ON exchange.points_movements_v1, exchange.points_outstanding_v1 TO exchange_server
