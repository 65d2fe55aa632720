-- A done chunk fetched as many records as its archived stream has, those that came along and were
-- not asked for included.
--
-- Severity: error
--
-- When it finds something: the ledger was changed by something else, or a settlement went wrong; see
-- what `scheduler archive verify` says of the stream. Restore the database from a backup, or run the
-- job into a new one with the same archive, which costs nothing.

SELECT c.id AS chunk_id, c.archive_object, c.fetched_records, c.filtered_records, a.records
FROM chunks AS c INNER JOIN archive_objects AS a ON c.archive_object = a.key
WHERE c.state = 'done' AND c.fetched_records + c.filtered_records <> a.records
ORDER BY c.id LIMIT 20;
