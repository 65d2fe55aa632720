-- Every done chunk that fetched records names the archived stream that it was loaded from, and the
-- ledger knows that stream.
--
-- Severity: error
--
-- When it finds something: the ledger was changed by something else, or a settlement went wrong; see
-- what `scheduler archive verify` says of the archive. Restore the database from a backup, or run the
-- job into a new one with the same archive, which costs nothing.

SELECT c.id AS chunk_id, c.fetched_records, c.archive_object
FROM chunks AS c
WHERE
    c.state = 'done' AND c.fetched_records > 0
    AND NOT EXISTS (SELECT 1 FROM archive_objects AS a WHERE a.key = c.archive_object)
ORDER BY c.id LIMIT 20;
