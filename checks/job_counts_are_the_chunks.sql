-- The counts that `status` shows of a job's schema are the sums of its chunks. What is shown is by
-- how much they are too high.
--
-- Severity: error
--
-- When it finds something: the ledger was changed past its triggers. Nothing that was loaded
-- depends on these counts; restore the database from a backup, or run the job into a new one with
-- the same archive.

SELECT
    job_id, schema,
    sum(pending) AS pending,
    sum(running) AS running,
    sum(done) AS done,
    sum(empty) AS empty,
    sum(dead) AS dead,
    sum(cancelled) AS cancelled,
    sum(expected) AS expected,
    sum(fetched) AS fetched,
    sum(loaded) AS loaded,
    sum(quarantined) AS quarantined,
    sum(covered) AS covered,
    sum(bytes) AS bytes
FROM (
    SELECT job_id, schema, pending, running, done, empty, dead, cancelled,
        expected, fetched, loaded, quarantined, covered, bytes
    FROM job_counts
    UNION ALL
    SELECT
        job_id, schema,
        CASE WHEN state = 'pending' THEN -1 ELSE 0 END,
        CASE WHEN state = 'running' THEN -1 ELSE 0 END,
        CASE WHEN state = 'done' THEN -1 ELSE 0 END,
        CASE WHEN state = 'empty' THEN -1 ELSE 0 END,
        CASE WHEN state = 'dead' THEN -1 ELSE 0 END,
        CASE WHEN state = 'cancelled' THEN -1 ELSE 0 END,
        -coalesce(expected_records, 0),
        -coalesce(fetched_records, 0),
        -coalesce(loaded_records, 0),
        -coalesce(quarantined_records, 0),
        -coalesce(covered_records, 0),
        -coalesce(bytes_received, 0)
    FROM chunks
) AS differences
GROUP BY job_id, schema
HAVING
    sum(pending) <> 0
    OR sum(running) <> 0
    OR sum(done) <> 0
    OR sum(empty) <> 0
    OR sum(dead) <> 0
    OR sum(cancelled) <> 0
    OR sum(expected) <> 0
    OR sum(fetched) <> 0
    OR sum(loaded) <> 0
    OR sum(quarantined) <> 0
    OR sum(covered) <> 0
    OR sum(bytes) <> 0
ORDER BY job_id, schema LIMIT 20;
