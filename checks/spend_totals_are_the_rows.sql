-- What was reserved and settled by job, dataset and schema, by which budgets are kept, is the sum
-- of all requests. What is shown is by how much the totals are too high, in billionths of a US
-- dollar.
--
-- Severity: error
--
-- When it finds something: something else changed the ledger, and budgets go by these totals: pause
-- paid work with `scheduler pause JOB`, and restore the database from a backup.

SELECT
    job_id, dataset, schema,
    sum(reserved) AS reserved_nanousd, sum(settled) AS settled_nanousd, sum(bytes) AS bytes
FROM (
    SELECT
        job_id, dataset, schema,
        reserved_nanousd AS reserved, settled_nanousd AS settled, bytes
    FROM spend_totals
    UNION ALL
    SELECT
        s.job_id, c.dataset, c.schema,
        CASE WHEN s.settled_nanousd IS NULL THEN -s.reserved_nanousd ELSE 0 END,
        -coalesce(s.settled_nanousd, 0),
        -coalesce(s.bytes, 0)
    FROM spend AS s INNER JOIN chunks AS c ON s.chunk_id = c.id
) AS differences
GROUP BY job_id, dataset, schema
HAVING sum(reserved) <> 0 OR sum(settled) <> 0 OR sum(bytes) <> 0
ORDER BY job_id, dataset, schema LIMIT 20;
