-- The high of a bar is not below its low.
--
-- Severity: error
--
-- When it finds something: records like this are no real ones, and the rule that holds them back
-- was turned off, or the tables were changed by something else. Compare a row with `scheduler
-- quarantine list` and the rules in `configs/schemas`; `scheduler replay JOB` makes the rows anew
-- from the archive.

SELECT
    chunk_id, row_number, instrument_id, granularity,
    open_price, high_price, low_price, close_price, volume
FROM ohlcv_data
WHERE high_price < low_price
LIMIT 20;
