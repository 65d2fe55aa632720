-- Bars and sampled quotes are of the size that their chunk's schema names: 1m in ohlcv-1m.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH sizes AS (
    SELECT DISTINCT 'bbo_data' AS market_table, chunk_id, granularity FROM bbo_data
    UNION ALL
    SELECT DISTINCT 'cbbo_data' AS market_table, chunk_id, granularity FROM cbbo_data
    UNION ALL
    SELECT DISTINCT 'ohlcv_data' AS market_table, chunk_id, granularity FROM ohlcv_data
)
SELECT s.market_table, s.chunk_id, c.schema, s.granularity
FROM sizes AS s INNER JOIN chunks AS c ON s.chunk_id = c.id
WHERE c.schema NOT LIKE '%-' || s.granularity
ORDER BY s.market_table, s.chunk_id LIMIT 20;
