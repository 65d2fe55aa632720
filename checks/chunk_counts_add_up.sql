-- Every chunk that is done or empty accounts for each record that it fetched: fetched = loaded +
-- quarantined + covered.
--
-- Severity: error
--
-- When it finds something: the ledger was changed by something else, or a settlement went wrong.
-- Restore the database from a backup, or run the job into a new one with the same archive, which
-- costs nothing.

SELECT
    id AS chunk_id, state, fetched_records, loaded_records, quarantined_records, covered_records
FROM chunks
WHERE
    state IN ('done', 'empty')
    AND fetched_records <> loaded_records + quarantined_records + covered_records
ORDER BY id LIMIT 20;
