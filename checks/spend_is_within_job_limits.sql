-- No job has spent or reserved more than its limit. A limit that was lowered later may lie below
-- what was spent before.
--
-- Severity: warning
--
-- When it finds something: if the limit was not lowered, pause the job with `scheduler pause JOB`,
-- and compare `scheduler spend JOB` with the vendor's bill.

SELECT
    j.id AS job_id, j.name AS job, j.max_cost_nanousd,
    sum(t.reserved_nanousd + t.settled_nanousd) AS committed_nanousd
FROM jobs AS j INNER JOIN spend_totals AS t ON j.id = t.job_id
GROUP BY j.id, j.name, j.max_cost_nanousd
HAVING sum(t.reserved_nanousd + t.settled_nanousd) > j.max_cost_nanousd
ORDER BY j.id LIMIT 20;
