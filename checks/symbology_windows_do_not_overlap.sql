-- The days of which it is known that a symbol meant an instrument don't overlap: a query would
-- deliver its records twice.
--
-- Severity: error
--
-- When it finds something: run a job with the symbol into a new database with the same archive: it
-- notes anew what symbols meant.

SELECT dataset, stype_in, symbol, instrument_id, start_date, end_date, end_before
FROM (
    SELECT
        dataset, stype_in, symbol, instrument_id, start_date, end_date,
        max(end_date) OVER (
            PARTITION BY dataset, stype_in, symbol, instrument_id ORDER BY start_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS end_before
    FROM symbology
) AS windows
WHERE end_before > start_date
ORDER BY dataset, stype_in, symbol, instrument_id, start_date LIMIT 20;
