-- Every trade has a price and a size. Prices may be below zero.
--
-- Severity: warning
--
-- When it finds something: records like this are no real ones, and the rule that holds them back
-- was turned off, or the tables were changed by something else. Compare a row with `scheduler
-- quarantine list` and the rules in `configs/schemas`; `scheduler replay JOB` makes the rows anew
-- from the archive.

SELECT * FROM (
    SELECT 'tbbo_data' AS market_table, chunk_id, row_number, instrument_id, price, size
    FROM tbbo_data
    WHERE price IS NULL OR size IS NULL OR size = 0
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, row_number, instrument_id, price, size
    FROM tcbbo_data
    WHERE price IS NULL OR size IS NULL OR size = 0
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, row_number, instrument_id, price, size
    FROM trades_data
    WHERE price IS NULL OR size IS NULL OR size = 0
) AS found
LIMIT 20;
