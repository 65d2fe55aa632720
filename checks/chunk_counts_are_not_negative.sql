-- No count, no number of bytes and no price of a chunk is below zero.
--
-- Severity: error
--
-- When it finds something: the ledger was changed by something else, or a settlement went wrong.
-- Restore the database from a backup, or run the job into a new one with the same archive, which
-- costs nothing.

SELECT
    id AS chunk_id, expected_records, billable_bytes, cost_nanousd, fetched_records, filtered_records,
    loaded_records, quarantined_records, covered_records, bytes_received, failures, epoch
FROM chunks
WHERE
    expected_records < 0 OR billable_bytes < 0 OR cost_nanousd < 0 OR fetched_records < 0
    OR filtered_records < 0 OR loaded_records < 0 OR quarantined_records < 0
    OR covered_records < 0 OR bytes_received < 0 OR failures < 0 OR epoch < 0
ORDER BY id LIMIT 20;
