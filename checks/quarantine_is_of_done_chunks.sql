-- Every quarantined record belongs to a chunk that is done.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT q.chunk_id, c.state, q.record_number, q.rule
FROM quarantine AS q LEFT JOIN chunks AS c ON q.chunk_id = c.id
WHERE coalesce(c.state, 'absent') <> 'done'
ORDER BY q.chunk_id, q.record_number LIMIT 20;
