-- A chunk has rows only of instruments of which it holds slices; instrument -1 of a slice stands
-- for every instrument. Reads all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH instruments AS (
    SELECT DISTINCT 'bbo_data' AS market_table, chunk_id, instrument_id FROM bbo_data
    UNION ALL
    SELECT DISTINCT 'cbbo_data' AS market_table, chunk_id, instrument_id FROM cbbo_data
    UNION ALL
    SELECT DISTINCT 'cmbp_1_data' AS market_table, chunk_id, instrument_id FROM cmbp_1_data
    UNION ALL
    SELECT DISTINCT 'definitions_data' AS market_table, chunk_id, instrument_id FROM definitions_data
    UNION ALL
    SELECT DISTINCT 'imbalance_data' AS market_table, chunk_id, instrument_id FROM imbalance_data
    UNION ALL
    SELECT DISTINCT 'mbo_data' AS market_table, chunk_id, instrument_id FROM mbo_data
    UNION ALL
    SELECT DISTINCT 'mbp_10_data' AS market_table, chunk_id, instrument_id FROM mbp_10_data
    UNION ALL
    SELECT DISTINCT 'mbp_1_data' AS market_table, chunk_id, instrument_id FROM mbp_1_data
    UNION ALL
    SELECT DISTINCT 'ohlcv_data' AS market_table, chunk_id, instrument_id FROM ohlcv_data
    UNION ALL
    SELECT DISTINCT 'statistics_data' AS market_table, chunk_id, instrument_id FROM statistics_data
    UNION ALL
    SELECT DISTINCT 'status_data' AS market_table, chunk_id, instrument_id FROM status_data
    UNION ALL
    SELECT DISTINCT 'tbbo_data' AS market_table, chunk_id, instrument_id FROM tbbo_data
    UNION ALL
    SELECT DISTINCT 'tcbbo_data' AS market_table, chunk_id, instrument_id FROM tcbbo_data
    UNION ALL
    SELECT DISTINCT 'trades_data' AS market_table, chunk_id, instrument_id FROM trades_data
)
SELECT i.market_table, i.chunk_id, i.instrument_id
FROM instruments AS i
INNER JOIN chunks AS c ON i.chunk_id = c.id AND c.state = 'done'
WHERE
    EXISTS (SELECT 1 FROM coverage AS v WHERE v.chunk_id = i.chunk_id)
    AND NOT EXISTS (
        SELECT 1 FROM coverage AS v
        WHERE v.chunk_id = i.chunk_id AND v.instrument_id IN (i.instrument_id, -1)
    )
ORDER BY i.market_table, i.chunk_id, i.instrument_id LIMIT 20;
