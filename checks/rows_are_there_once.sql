-- No row is there twice: within a chunk each record has a number of its own. Identical records with
-- different numbers are legal. Reads and sorts all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT market_table, chunk_id, row_number, copies
FROM (
    SELECT
        'bbo_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM bbo_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'cbbo_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM cbbo_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'cmbp_1_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM cmbp_1_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'definitions_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM definitions_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'imbalance_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM imbalance_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'mbo_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM mbo_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'mbp_10_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM mbp_10_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'mbp_1_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM mbp_1_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'ohlcv_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM ohlcv_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'statistics_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM statistics_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'status_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM status_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'tbbo_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM tbbo_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'tcbbo_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM tcbbo_data GROUP BY chunk_id, row_number HAVING count(*) > 1
    UNION ALL
    SELECT
        'trades_data' AS market_table, chunk_id, row_number, count(*) AS copies
    FROM trades_data GROUP BY chunk_id, row_number HAVING count(*) > 1
) AS doubled
LIMIT 20;
