-- No two chunks hold a slice of the same instrument over the same time: its records would be there
-- twice. A slice of every instrument may lie beside those of single ones, which its chunk leaves out.
--
-- Severity: error
--
-- When it finds something: the tables were changed by something else, or a load went wrong. Restore
-- them from a backup, or run the job into a new database with the same archive, which costs
-- nothing.

SELECT dataset, schema, instrument_id, start_ns, end_ns, chunk_id, end_before
FROM (
    SELECT
        dataset, schema, instrument_id, start_ns, end_ns, chunk_id,
        max(end_ns) OVER (
            PARTITION BY dataset, schema, instrument_id ORDER BY start_ns, end_ns
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS end_before
    FROM coverage
) AS slices
WHERE end_before > start_ns
ORDER BY dataset, schema, instrument_id, start_ns LIMIT 20;
