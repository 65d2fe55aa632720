-- Every chunk that is done or empty has fetched as many records as the vendor counted.
--
-- Severity: error
--
-- When it finds something: the ledger was changed by something else, or a settlement went wrong.
-- Restore the database from a backup, or run the job into a new one with the same archive, which
-- costs nothing.

SELECT id AS chunk_id, state, expected_records, fetched_records
FROM chunks
WHERE state IN ('done', 'empty') AND fetched_records <> coalesce(expected_records, 0)
ORDER BY id LIMIT 20;
