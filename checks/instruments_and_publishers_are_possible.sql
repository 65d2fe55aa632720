-- Instruments have numbers of 32 bits and publishers of 16. Reads all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

WITH bounds AS (
    SELECT
        'bbo_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM bbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'cbbo_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM cbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'cmbp_1_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM cmbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'definitions_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM definitions_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'imbalance_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM imbalance_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbo_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM mbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbp_10_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM mbp_10_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'mbp_1_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM mbp_1_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'ohlcv_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM ohlcv_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'statistics_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM statistics_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'status_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM status_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'tbbo_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM tbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'tcbbo_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM tcbbo_data GROUP BY chunk_id
    UNION ALL
    SELECT
        'trades_data' AS market_table, chunk_id,
        min(instrument_id) AS least, max(instrument_id) AS greatest,
        min(publisher_id) AS least_publisher, max(publisher_id) AS greatest_publisher
    FROM trades_data GROUP BY chunk_id
)
SELECT market_table, chunk_id, least, greatest, least_publisher, greatest_publisher
FROM bounds
WHERE
    least < 0 OR greatest > 4294967295
    OR least_publisher < 0 OR greatest_publisher > 65535
ORDER BY market_table, chunk_id LIMIT 20;
