-- How many micro-units one minor unit holds, as ISO 4217 has it.
CREATE FUNCTION settlement.micros_per_minor(currency text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND',
                          'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000
        ELSE 10000 END
$$;

-- The cap that a merchant's prefunding and collateral give by the terms that hold; NULL where these bind nobody.
CREATE FUNCTION settlement.cap_by_funds(merchant integer, currency text) RETURNS numeric LANGUAGE sql VOLATILE AS $$
    SELECT least(9223372036854775807, settlement.micros_per_minor(currency) * div((
        SELECT coalesce(sum(b.minor_units), 0)
        FROM settlement.funds_balances b JOIN exchange.merchants m ON m.merchant_id = b.participant
        WHERE m.merchant_no = merchant AND b.currency_code = currency AND b.purpose IN ('PREFUNDING', 'COLLATERAL')
    ) * (one ->> 'cap_bps')::numeric, 10000))
    FROM settlement.proposals p CROSS JOIN LATERAL jsonb_array_elements(p.content::jsonb -> 'currencies') AS one
    WHERE p.proposal_id = settlement.in_force('FUNDS_TERMS') AND one ->> 'currency' = currency
        AND (one ->> 'cap_binds')::boolean
$$;

-- Terms and postings are agreed on by two persons; what follows from them is not chosen by anybody.
CREATE FUNCTION settlement.check_cap_binding() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM settlement.take_turns();
    IF NEW.cap_micros IS DISTINCT FROM settlement.cap_by_funds(NEW.merchant_no, NEW.currency_code) THEN
        RAISE EXCEPTION 'the funds of merchant % give no such cap', NEW.merchant_no USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER check_cap_binding BEFORE INSERT ON exchange.cap_bindings
    FOR EACH ROW EXECUTE FUNCTION settlement.check_cap_binding();

GRANT INSERT (merchant_no, currency_code, cap_micros) ON exchange.cap_bindings TO exchange_server
