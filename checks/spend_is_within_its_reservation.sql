-- No request was settled for more than was reserved for it, and none for less than nothing.
--
-- Severity: warning
--
-- When it finds something: the vendor sent more than it had counted. The limits count what was
-- settled; compare it with the vendor's bill.

SELECT id AS spend_id, job_id, chunk_id, reserved_nanousd, settled_nanousd
FROM spend
WHERE settled_nanousd > reserved_nanousd OR settled_nanousd < 0 OR reserved_nanousd < 0
ORDER BY id LIMIT 20;
