-- Every quarantined record names a rule of severity error, and the chunk counts at least as many
-- failures of that rule.
--
-- Severity: error
--
-- When it finds something: `scheduler quarantine retry JOB` decides about these records again, from
-- the archive, for nothing.

SELECT q.chunk_id, q.rule, q.records AS quarantine_rows, f.records AS failures, f.severity
FROM (
    SELECT chunk_id, rule, count(*) AS records FROM quarantine GROUP BY chunk_id, rule
) AS q
LEFT JOIN rule_failures AS f ON q.chunk_id = f.chunk_id AND q.rule = f.rule
WHERE f.records IS NULL OR f.records < q.records OR f.severity <> 'error'
ORDER BY q.chunk_id, q.rule LIMIT 20;
