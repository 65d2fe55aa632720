-- No size of a trade, an order or a quote is below zero.
--
-- Severity: error
--
-- When it finds something: records like this are no real ones, and the rule that holds them back
-- was turned off, or the tables were changed by something else. Compare a row with `scheduler
-- quarantine list` and the rules in `configs/schemas`; `scheduler replay JOB` makes the rows anew
-- from the archive.

SELECT * FROM (
    SELECT 'bbo_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM bbo_data
    WHERE size < 0 OR bid_sz_00 < 0 OR ask_sz_00 < 0
    UNION ALL
    SELECT 'cbbo_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM cbbo_data
    WHERE size < 0 OR bid_sz_00 < 0 OR ask_sz_00 < 0
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM cmbp_1_data
    WHERE size < 0 OR bid_sz_00 < 0 OR ask_sz_00 < 0
    UNION ALL
    SELECT 'mbo_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM mbo_data
    WHERE size < 0
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM mbp_10_data
    WHERE
        size < 0 OR bid_sz_00 < 0 OR ask_sz_00 < 0
        OR bid_sz_01 < 0 OR ask_sz_01 < 0 OR bid_sz_02 < 0
        OR ask_sz_02 < 0 OR bid_sz_03 < 0 OR ask_sz_03 < 0
        OR bid_sz_04 < 0 OR ask_sz_04 < 0 OR bid_sz_05 < 0
        OR ask_sz_05 < 0 OR bid_sz_06 < 0 OR ask_sz_06 < 0
        OR bid_sz_07 < 0 OR ask_sz_07 < 0 OR bid_sz_08 < 0
        OR ask_sz_08 < 0 OR bid_sz_09 < 0 OR ask_sz_09 < 0
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM mbp_1_data
    WHERE size < 0 OR bid_sz_00 < 0 OR ask_sz_00 < 0
    UNION ALL
    SELECT 'tbbo_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM tbbo_data
    WHERE size < 0 OR bid_sz_00 < 0 OR ask_sz_00 < 0
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM tcbbo_data
    WHERE size < 0 OR bid_sz_00 < 0 OR ask_sz_00 < 0
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, row_number, instrument_id, size
    FROM trades_data
    WHERE size < 0
) AS found
LIMIT 20;
