-- What a batch may take of an account: 64 bits are enough, and the driver's numeric is slow.
CREATE TYPE exchange.account_want AS (bucket smallint, member_id uuid, currency_no integer, wanted bigint);

DROP TYPE exchange.account_wish;
