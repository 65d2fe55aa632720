-- Every chunk that was given up says why.
--
-- Severity: warning
--
-- When it finds something: `scheduler retry JOB` tries it again, and notes what happens then.

SELECT id AS chunk_id, job_id, failures
FROM chunks WHERE state = 'dead' AND coalesce(error, '') = ''
ORDER BY id LIMIT 20;
