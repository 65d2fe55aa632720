-- The number of a row is the place of its record in the archived stream, from 0 to the number of
-- records there. Reads all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH bounds AS (
    SELECT
        'bbo_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM bbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'cbbo_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM cbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'cmbp_1_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM cmbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'definitions_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM definitions_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'imbalance_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM imbalance_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbo_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM mbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbp_10_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM mbp_10_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbp_1_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM mbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'ohlcv_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM ohlcv_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'statistics_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM statistics_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'status_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM status_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'tbbo_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM tbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'tcbbo_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM tcbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'trades_data' AS market_table, chunk_id,
        min(row_number) AS least, max(row_number) AS greatest
    FROM trades_data GROUP BY chunk_id
)
SELECT b.market_table, b.chunk_id, b.least, b.greatest, a.records
FROM bounds AS b
INNER JOIN chunks AS c ON b.chunk_id = c.id
INNER JOIN archive_objects AS a ON c.archive_object = a.key
WHERE b.least < 0 OR b.greatest >= a.records
ORDER BY b.market_table, b.chunk_id LIMIT 20;
