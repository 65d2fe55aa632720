-- A slice is of its chunk's dataset and schema, and lies within its chunk's days.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT v.chunk_id, v.dataset, v.schema, v.instrument_id, v.start_ns, v.end_ns
FROM coverage AS v INNER JOIN chunks AS c ON v.chunk_id = c.id
WHERE
    v.dataset <> c.dataset OR v.schema <> c.schema
    OR v.start_ns < c.start_ns OR v.end_ns > c.end_ns OR v.start_ns >= v.end_ns
ORDER BY v.chunk_id, v.instrument_id, v.start_ns LIMIT 20;
