-- What a merchant with a net debit cap owes and is owed, by settlement currency: the row its movements wait for, locked
-- after accounts and budgets. Merchants without a cap have none.
CREATE TABLE exchange.exposures (
    merchant_no integer NOT NULL REFERENCES exchange.merchants,
    currency_code text NOT NULL,
    cap_micros bigint NOT NULL CHECK (cap_micros >= 0),
    payable_micros numeric(38) NOT NULL CHECK (payable_micros >= 0),
    receivable_micros numeric(38) NOT NULL CHECK (receivable_micros >= 0),
    reserved_micros numeric(38) NOT NULL CHECK (reserved_micros >= 0),
    PRIMARY KEY (merchant_no, currency_code)
) WITH (fillfactor = 20);

-- Debts that ended otherwise than by posting: paid, or rounded away. Only ever added to.
CREATE TABLE exchange.discharges (
    discharge_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    debtor_no integer NOT NULL REFERENCES exchange.merchants,
    creditor_no integer NOT NULL REFERENCES exchange.merchants,
    currency_code text NOT NULL,
    micros bigint NOT NULL CHECK (micros > 0),
    discharged_at timestamptz NOT NULL,
    UNIQUE (source, debtor_no, creditor_no, currency_code),
    CHECK (debtor_no <> creditor_no)
);

-- What holds that have not ended will be owed at, when all of each is captured.
CREATE VIEW exchange.promised_v1 AS
SELECT t.transfer_id, c.issuer_no AS debtor_no, t.merchant_no AS creditor_no, c.settlement_currency AS currency_code,
       held.units * t.frozen_price_micros AS micros
FROM exchange.follow_ups f
JOIN exchange.transfers t USING (bucket, transfer_id)
CROSS JOIN LATERAL (SELECT l.currency_no, sum(l.units) AS units FROM unnest(t.legs) AS l
                    WHERE l.account = 3 AND l.side = 2 GROUP BY l.currency_no) held
JOIN exchange.currencies c USING (currency_no)
WHERE NOT f.ended AND f.lapses_at IS NOT NULL AND t.kind = 7 AND c.issuer_no <> t.merchant_no;

GRANT SELECT, INSERT, DELETE ON exchange.exposures TO exchange_server;

GRANT UPDATE (cap_micros, payable_micros, receivable_micros, reserved_micros) ON exchange.exposures TO exchange_server;

GRANT SELECT, INSERT ON exchange.discharges TO exchange_server;

GRANT SELECT ON exchange.promised_v1 TO exchange_server
