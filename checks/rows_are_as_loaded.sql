-- Every done chunk has as many rows in its table as it counts. Tables of your own are not looked
-- at. Reads all market tables.
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
SELECT
    c.id AS chunk_id, c.schema, c.market_table, c.loaded_records,
    coalesce(sum(r.table_rows), 0) AS table_rows
FROM chunks AS c
LEFT JOIN counted AS r
    ON c.id = r.chunk_id AND r.market_table = coalesce(c.market_table, r.market_table)
WHERE
    c.state = 'done'
    AND (
        c.market_table IS NULL
        OR c.market_table IN (
            'bbo_data', 'cbbo_data', 'cmbp_1_data', 'definitions_data',
            'imbalance_data', 'mbo_data', 'mbp_10_data', 'mbp_1_data',
            'ohlcv_data', 'statistics_data', 'status_data', 'tbbo_data',
            'tcbbo_data', 'trades_data'
        )
    )
GROUP BY c.id, c.schema, c.market_table, c.loaded_records
HAVING coalesce(sum(r.table_rows), 0) <> c.loaded_records
ORDER BY c.id LIMIT 20;
