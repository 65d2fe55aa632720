-- The quarantine has as many records of each done chunk as the chunk counts.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT c.id AS chunk_id, c.quarantined_records, coalesce(q.records, 0) AS quarantine_rows
FROM chunks AS c
LEFT JOIN (SELECT chunk_id, count(*) AS records FROM quarantine GROUP BY chunk_id) AS q
    ON c.id = q.chunk_id
WHERE c.state = 'done' AND c.quarantined_records <> coalesce(q.records, 0)
ORDER BY c.id LIMIT 20;
