-- An undefined price is NULL, and never the number that stands for one in the vendor's records.
--
-- Severity: error
--
-- When it finds something: records like this are no real ones, and the rule that holds them back
-- was turned off, or the tables were changed by something else. Compare a row with `scheduler
-- quarantine list` and the rules in `configs/schemas`; `scheduler replay JOB` makes the rows anew
-- from the archive.

SELECT * FROM (
    SELECT 'bbo_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM bbo_data
    WHERE
        price IN (9223372036854775807, 9223372036.854775807)
        OR bid_px_00 IN (9223372036854775807, 9223372036.854775807)
        OR ask_px_00 IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'cbbo_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM cbbo_data
    WHERE
        price IN (9223372036854775807, 9223372036.854775807)
        OR bid_px_00 IN (9223372036854775807, 9223372036.854775807)
        OR ask_px_00 IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'cmbp_1_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM cmbp_1_data
    WHERE
        price IN (9223372036854775807, 9223372036.854775807)
        OR bid_px_00 IN (9223372036854775807, 9223372036.854775807)
        OR ask_px_00 IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'definitions_data' AS market_table, chunk_id, row_number, instrument_id, min_price_increment AS price
    FROM definitions_data
    WHERE
        min_price_increment IN (9223372036854775807, 9223372036.854775807)
        OR high_limit_price IN (9223372036854775807, 9223372036.854775807)
        OR low_limit_price IN (9223372036854775807, 9223372036.854775807)
        OR strike_price IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'imbalance_data' AS market_table, chunk_id, row_number, instrument_id, ref_price AS price
    FROM imbalance_data
    WHERE
        ref_price IN (9223372036854775807, 9223372036.854775807)
        OR cont_book_clr_price IN (9223372036854775807, 9223372036.854775807)
        OR auct_interest_clr_price IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'mbo_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM mbo_data
    WHERE price IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'mbp_10_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM mbp_10_data
    WHERE
        price IN (9223372036854775807, 9223372036.854775807)
        OR bid_px_00 IN (9223372036854775807, 9223372036.854775807)
        OR ask_px_00 IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'mbp_1_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM mbp_1_data
    WHERE
        price IN (9223372036854775807, 9223372036.854775807)
        OR bid_px_00 IN (9223372036854775807, 9223372036.854775807)
        OR ask_px_00 IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'ohlcv_data' AS market_table, chunk_id, row_number, instrument_id, open_price AS price
    FROM ohlcv_data
    WHERE
        open_price IN (9223372036854775807, 9223372036.854775807)
        OR high_price IN (9223372036854775807, 9223372036.854775807)
        OR low_price IN (9223372036854775807, 9223372036.854775807)
        OR close_price IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'statistics_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM statistics_data
    WHERE price IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'tbbo_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM tbbo_data
    WHERE
        price IN (9223372036854775807, 9223372036.854775807)
        OR bid_px_00 IN (9223372036854775807, 9223372036.854775807)
        OR ask_px_00 IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'tcbbo_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM tcbbo_data
    WHERE
        price IN (9223372036854775807, 9223372036.854775807)
        OR bid_px_00 IN (9223372036854775807, 9223372036.854775807)
        OR ask_px_00 IN (9223372036854775807, 9223372036.854775807)
    UNION ALL
    SELECT 'trades_data' AS market_table, chunk_id, row_number, instrument_id, price
    FROM trades_data
    WHERE price IN (9223372036854775807, 9223372036.854775807)
) AS found
LIMIT 20;
