-- 0: no such limit.
CREATE TABLE exchange.call_quotas (
    merchant_no integer PRIMARY KEY REFERENCES exchange.merchants,
    calls_per_second integer NOT NULL CHECK (calls_per_second >= 0),
    burst_calls integer NOT NULL CHECK (burst_calls >= 0),
    concurrent_calls integer NOT NULL CHECK (concurrent_calls >= 0),
    CHECK (calls_per_second = 0 OR burst_calls > 0)
);

GRANT SELECT, INSERT ON exchange.call_quotas TO exchange_server;

GRANT UPDATE (calls_per_second, burst_calls, concurrent_calls) ON exchange.call_quotas TO exchange_server
