-- A side is A (ask), B (bid) or N (none).
--
-- Severity: error
--
-- When it finds something: records like this are no real ones, and the rule that holds them back
-- was turned off, or the tables were changed by something else. Compare a row with `scheduler
-- quarantine list` and the rules in `configs/schemas`; `scheduler replay JOB` makes the rows anew
-- from the archive.

SELECT * FROM (
    SELECT 'bbo_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM bbo_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'cbbo_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM cbbo_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM cmbp_1_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'mbo_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM mbo_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM mbp_10_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM mbp_1_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'tbbo_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM tbbo_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM tcbbo_data
    WHERE side NOT IN ('A', 'B', 'N')
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, row_number, instrument_id, side
    FROM trades_data
    WHERE side NOT IN ('A', 'B', 'N')
) AS found
LIMIT 20;
