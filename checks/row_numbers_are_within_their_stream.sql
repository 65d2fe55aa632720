-- The number of a row is the place of its record in the archived stream, from 0 to the number of
-- records there. Reads all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH streams AS (
    SELECT c.id, a.records
    FROM chunks AS c INNER JOIN archive_objects AS a ON c.archive_object = a.key
)
SELECT * FROM (
    SELECT 'bbo_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM bbo_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'cbbo_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM cbbo_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM cmbp_1_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'definitions_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM definitions_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'imbalance_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM imbalance_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'mbo_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM mbo_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM mbp_10_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM mbp_1_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'ohlcv_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM ohlcv_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'statistics_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM statistics_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'status_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM status_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'tbbo_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM tbbo_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM tcbbo_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
    UNION ALL
    SELECT 'trades_data' AS market_table, t.chunk_id, t.row_number, s.records
    FROM trades_data AS t INNER JOIN streams AS s ON t.chunk_id = s.id
    WHERE t.row_number < 0 OR t.row_number >= s.records
) AS found
LIMIT 20;
