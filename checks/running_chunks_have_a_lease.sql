-- Every chunk that runs has somebody who works on it, and a lease that can run out: without one
-- nobody would ever take it up.
--
-- Severity: error
--
-- When it finds something: the ledger was changed by something else. `UPDATE chunks SET lease_until
-- = 0, owner = 'nobody' WHERE id = …` lets workers take the chunk up again.

SELECT id AS chunk_id, epoch, owner, lease_until
FROM chunks
WHERE state = 'running' AND (owner IS NULL OR lease_until IS NULL OR epoch < 1)
ORDER BY id LIMIT 20;
