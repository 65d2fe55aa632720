-- The index time of every row, ts_recv or for bars ts_event, lies within its chunk's days. Reads
-- all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH bounds AS (
    SELECT
        'bbo_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM bbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'cbbo_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM cbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'cmbp_1_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM cmbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'definitions_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM definitions_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'imbalance_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM imbalance_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbo_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM mbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbp_10_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM mbp_10_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbp_1_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM mbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'ohlcv_data' AS market_table, chunk_id,
        min(ts_event) AS earliest, max(ts_event) AS latest
    FROM ohlcv_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'statistics_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM statistics_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'status_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM status_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'tbbo_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM tbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'tcbbo_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM tcbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'trades_data' AS market_table, chunk_id,
        min(ts_recv) AS earliest, max(ts_recv) AS latest
    FROM trades_data GROUP BY chunk_id
)
SELECT b.market_table, b.chunk_id, b.earliest, b.latest, c.start_ns, c.end_ns
FROM bounds AS b INNER JOIN chunks AS c ON b.chunk_id = c.id
WHERE
    extract(EPOCH FROM b.earliest) * 1000000000 < c.start_ns
    OR extract(EPOCH FROM b.latest) * 1000000000 >= c.end_ns
ORDER BY b.market_table, b.chunk_id LIMIT 20;
