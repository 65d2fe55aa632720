-- There is one bar of an instrument, publisher and size at a time.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT instrument_id, ts_event, publisher_id, granularity, count(*) AS bars, min(chunk_id) AS chunk_id
FROM ohlcv_data
GROUP BY instrument_id, ts_event, publisher_id, granularity
HAVING count(*) > 1
LIMIT 20;
