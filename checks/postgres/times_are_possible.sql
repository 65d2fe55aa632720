-- Every time lies between 1970 and 2262, an undefined one is NULL, and in PostgreSQL its
-- nanoseconds are 0 to 999. Reads all market tables.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT * FROM (
    SELECT 'bbo_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM bbo_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'cbbo_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM cbbo_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM cmbp_1_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'definitions_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM definitions_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
        OR activation NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR activation_ns NOT BETWEEN 0 AND 999
        OR (activation IS NULL) <> (activation_ns IS NULL)
        OR expiration NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR expiration_ns NOT BETWEEN 0 AND 999
        OR (expiration IS NULL) <> (expiration_ns IS NULL)
    UNION ALL
    SELECT 'imbalance_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM imbalance_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'mbo_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM mbo_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM mbp_10_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM mbp_1_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'ohlcv_data' AS market_table, chunk_id, row_number, instrument_id, ts_event AS index_time
    FROM ohlcv_data
    WHERE
        ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'statistics_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM statistics_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
        OR ts_ref NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_ref_ns NOT BETWEEN 0 AND 999
        OR (ts_ref IS NULL) <> (ts_ref_ns IS NULL)
    UNION ALL
    SELECT 'status_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM status_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'tbbo_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM tbbo_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM tcbbo_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, row_number, instrument_id, ts_recv AS index_time
    FROM trades_data
    WHERE
        ts_recv NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_recv_ns NOT BETWEEN 0 AND 999
        OR (ts_recv IS NULL) <> (ts_recv_ns IS NULL)
        OR ts_event NOT BETWEEN '1970-01-01Z' AND '2262-04-11 23:47:16.854775Z'
        OR ts_event_ns NOT BETWEEN 0 AND 999
        OR (ts_event IS NULL) <> (ts_event_ns IS NULL)
) AS found
LIMIT 20;
