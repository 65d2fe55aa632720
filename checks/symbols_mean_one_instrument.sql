-- On each day a continuous or raw symbol means one instrument. Parents mean many.
--
-- Severity: warning
--
-- When it finds something: the vendor has changed its mind about what the symbol meant, and the
-- database remembers both. Queries deliver the records of both instruments; ask for one by its
-- number.

SELECT dataset, stype_in, symbol, instrument_id, start_date, end_date, end_before
FROM (
    SELECT
        dataset, stype_in, symbol, instrument_id, start_date, end_date,
        max(end_date) OVER (
            PARTITION BY dataset, stype_in, symbol ORDER BY start_date, instrument_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS end_before,
        lag(instrument_id) OVER (
            PARTITION BY dataset, stype_in, symbol ORDER BY start_date, instrument_id
        ) AS instrument_before
    FROM symbology
    WHERE stype_in IN ('continuous', 'raw_symbol')
) AS windows
WHERE end_before > start_date AND instrument_before <> instrument_id
ORDER BY dataset, stype_in, symbol, start_date LIMIT 20;
