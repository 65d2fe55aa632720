-- A job that was called off has no chunk that waits, runs or is dead.
--
-- Severity: error
--
-- When it finds something: call the job off again: `scheduler cancel JOB`.

SELECT c.id AS chunk_id, c.job_id, j.name AS job, c.state
FROM chunks AS c INNER JOIN jobs AS j ON c.job_id = j.id
WHERE j.state = 'cancelled' AND c.state IN ('pending', 'running', 'dead')
ORDER BY c.id LIMIT 20;
