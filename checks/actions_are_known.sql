-- An action is A (add), C (cancel), F (fill), M (modify), N (none), R (clear) or T (trade).
--
-- Severity: error
--
-- When it finds something: records like this are no real ones, and the rule that holds them back
-- was turned off, or the tables were changed by something else. Compare a row with `scheduler
-- quarantine list` and the rules in `configs/schemas`; `scheduler replay JOB` makes the rows anew
-- from the archive.

SELECT * FROM (
    SELECT 'cmbp_1_data' AS market_table, chunk_id, row_number, instrument_id, action
    FROM cmbp_1_data
    WHERE action NOT IN ('A', 'C', 'F', 'M', 'N', 'R', 'T')
    UNION ALL
    SELECT 'mbo_data' AS market_table, chunk_id, row_number, instrument_id, action
    FROM mbo_data
    WHERE action NOT IN ('A', 'C', 'F', 'M', 'N', 'R', 'T')
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, chunk_id, row_number, instrument_id, action
    FROM mbp_10_data
    WHERE action NOT IN ('A', 'C', 'F', 'M', 'N', 'R', 'T')
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, chunk_id, row_number, instrument_id, action
    FROM mbp_1_data
    WHERE action NOT IN ('A', 'C', 'F', 'M', 'N', 'R', 'T')
    UNION ALL
    SELECT 'tbbo_data' AS market_table, chunk_id, row_number, instrument_id, action
    FROM tbbo_data
    WHERE action NOT IN ('A', 'C', 'F', 'M', 'N', 'R', 'T')
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, row_number, instrument_id, action
    FROM tcbbo_data
    WHERE action NOT IN ('A', 'C', 'F', 'M', 'N', 'R', 'T')
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, row_number, instrument_id, action
    FROM trades_data
    WHERE action NOT IN ('A', 'C', 'F', 'M', 'N', 'R', 'T')
) AS found
LIMIT 20;
