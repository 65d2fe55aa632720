-- Every row belongs to a chunk that is done in its table; no row is nobody's. Reads all market
-- tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH counted AS (
    SELECT 'bbo_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM bbo_data GROUP BY chunk_id
    UNION ALL
    SELECT 'cbbo_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM cbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM cmbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT 'definitions_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM definitions_data GROUP BY chunk_id
    UNION ALL
    SELECT 'imbalance_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM imbalance_data GROUP BY chunk_id
    UNION ALL
    SELECT 'mbo_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM mbo_data GROUP BY chunk_id
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM mbp_10_data GROUP BY chunk_id
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM mbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT 'ohlcv_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM ohlcv_data GROUP BY chunk_id
    UNION ALL
    SELECT 'statistics_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM statistics_data GROUP BY chunk_id
    UNION ALL
    SELECT 'status_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM status_data GROUP BY chunk_id
    UNION ALL
    SELECT 'tbbo_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM tbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM tcbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, count(*) AS table_rows
    FROM trades_data GROUP BY chunk_id
)
SELECT r.market_table, r.chunk_id, c.state, r.table_rows
FROM counted AS r
LEFT JOIN chunks AS c
    ON r.chunk_id = c.id AND r.market_table = coalesce(c.market_table, r.market_table)
WHERE coalesce(c.state, 'absent') <> 'done'
ORDER BY r.market_table, r.chunk_id LIMIT 20;
