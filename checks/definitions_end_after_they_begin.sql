-- An instrument expires after it was activated; where both are defined.
--
-- Severity: warning
--
-- When it finds something: compare the definition with the venue's; queries deliver it as it came.

SELECT chunk_id, row_number, instrument_id, raw_symbol, activation, expiration
FROM definitions_data
WHERE activation > expiration
LIMIT 20;
