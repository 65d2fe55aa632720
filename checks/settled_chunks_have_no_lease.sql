-- Nobody holds a lease of a chunk that doesn't run.
--
-- Severity: error
--
-- When it finds something: the ledger was changed by something else, or a settlement went wrong;
-- nothing is lost by it. `UPDATE chunks SET lease_until = NULL, owner = NULL WHERE id = …` mends
-- it.

SELECT id AS chunk_id, state, owner, lease_until
FROM chunks
WHERE state <> 'running' AND (owner IS NOT NULL OR lease_until IS NOT NULL)
ORDER BY id LIMIT 20;
