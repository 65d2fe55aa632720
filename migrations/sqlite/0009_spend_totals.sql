-- What was spent by job, month, dataset and schema: kept up in the transactions that reserve and settle,
-- so that nobody adds up a million of them to see whether a budget has room. A month is that of the
-- reservation, in UTC, as `2024-01`. `saved` is what requests would have cost that the archive answered.
CREATE TABLE spend_totals (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    month TEXT NOT NULL,
    dataset TEXT NOT NULL,
    schema TEXT NOT NULL,
    reserved_nanousd INTEGER NOT NULL DEFAULT 0,
    settled_nanousd INTEGER NOT NULL DEFAULT 0,
    saved_nanousd INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, month, dataset, schema)
) STRICT, WITHOUT ROWID;

CREATE INDEX spend_totals_by_month ON spend_totals (month);

INSERT INTO spend_totals (
    job_id, month, dataset, schema, reserved_nanousd, settled_nanousd, bytes
)
SELECT
    s.job_id,
    strftime('%Y-%m', s.reserved_at / 1000000000, 'unixepoch'),
    c.dataset,
    c.schema,
    sum(CASE WHEN s.settled_nanousd IS NULL THEN s.reserved_nanousd ELSE 0 END),
    sum(coalesce(s.settled_nanousd, 0)),
    sum(coalesce(s.bytes, 0))
FROM spend AS s JOIN chunks AS c ON c.id = s.chunk_id
GROUP BY 1, 2, 3, 4;
