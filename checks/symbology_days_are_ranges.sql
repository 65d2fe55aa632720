-- What a symbol meant is known for a range of days that begins before it ends, written as
-- 2024-01-31.
--
-- Severity: error
--
-- When it finds something: run a job with the symbol into a new database with the same archive: it
-- notes anew what symbols meant.

SELECT dataset, stype_in, symbol, instrument_id, start_date, end_date
FROM symbology
WHERE
    start_date >= end_date
    OR start_date NOT LIKE '____-__-__' OR end_date NOT LIKE '____-__-__'
ORDER BY dataset, stype_in, symbol, start_date LIMIT 20;
