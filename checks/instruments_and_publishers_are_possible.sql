-- Instruments have numbers of 32 bits and publishers of 16. Reads all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT * FROM (
    SELECT 'bbo_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM bbo_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'cbbo_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM cbbo_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM cmbp_1_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'definitions_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM definitions_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'imbalance_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM imbalance_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'mbo_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM mbo_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM mbp_10_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM mbp_1_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'ohlcv_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM ohlcv_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'statistics_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM statistics_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'status_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM status_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'tbbo_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM tbbo_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM tcbbo_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, row_number, instrument_id, publisher_id
    FROM trades_data
    WHERE
        instrument_id NOT BETWEEN 0 AND 4294967295
        OR publisher_id NOT BETWEEN 0 AND 65535
) AS found
LIMIT 20;
