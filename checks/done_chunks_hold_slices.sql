-- Every done chunk with records of its own holds the slices that they are in: without them another
-- chunk would load the same records again.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT c.id AS chunk_id, c.schema, c.loaded_records, c.quarantined_records
FROM chunks AS c
WHERE
    c.state = 'done' AND c.loaded_records + c.quarantined_records > 0
    AND NOT EXISTS (SELECT 1 FROM coverage AS v WHERE v.chunk_id = c.id)
ORDER BY c.id LIMIT 20;
