-- What a slice notes of its days has a sign for each UTC day that it touches: + for records, - for
-- none.
--
-- Severity: error
--
-- When it finds something: `scheduler replay JOB` notes the days anew, from the archive, for
-- nothing.

SELECT chunk_id, dataset, schema, instrument_id, start_ns, end_ns, days
FROM coverage
WHERE
    length(days) <> (end_ns - 1) / 86400000000000 - start_ns / 86400000000000 + 1
    OR replace(replace(days, '+', ''), '-', '') <> ''
ORDER BY chunk_id, instrument_id, start_ns LIMIT 20;
