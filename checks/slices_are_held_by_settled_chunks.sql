-- Only chunks that are done or empty hold slices: what any other holds would never be loaded.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT v.chunk_id, c.state, v.dataset, v.schema, v.instrument_id, v.start_ns, v.end_ns
FROM coverage AS v LEFT JOIN chunks AS c ON v.chunk_id = c.id
WHERE coalesce(c.state, 'absent') NOT IN ('done', 'empty')
ORDER BY v.chunk_id, v.instrument_id, v.start_ns LIMIT 20;
