-- The index time of every row, ts_recv or for bars ts_event, lies within its chunk's days. Reads
-- all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH days AS MATERIALIZED (
    SELECT
        id,
        timestamptz 'epoch' + start_ns / 1000 * interval '1 microsecond' AS first_time,
        timestamptz 'epoch' + end_ns / 1000 * interval '1 microsecond' AS end_time
    FROM chunks
)
SELECT * FROM (
    SELECT 'bbo_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM bbo_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'cbbo_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM cbbo_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM cmbp_1_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'definitions_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM definitions_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'imbalance_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM imbalance_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'mbo_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM mbo_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM mbp_10_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM mbp_1_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'ohlcv_data' AS market_table, t.chunk_id, t.row_number, t.ts_event AS index_time
    FROM ohlcv_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_event < d.first_time OR t.ts_event >= d.end_time
    UNION ALL
    SELECT 'statistics_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM statistics_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'status_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM status_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'tbbo_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM tbbo_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM tcbbo_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
    UNION ALL
    SELECT 'trades_data' AS market_table, t.chunk_id, t.row_number, t.ts_recv AS index_time
    FROM trades_data AS t INNER JOIN days AS d ON t.chunk_id = d.id
    WHERE t.ts_recv < d.first_time OR t.ts_recv >= d.end_time
) AS found
LIMIT 20;
