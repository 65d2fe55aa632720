-- What was spent by job, month, dataset and schema: kept up in the transactions that reserve and settle,
-- so that nobody adds up a million of them to see whether a budget has room. A month is that of the
-- reservation, in UTC, as `2024-01`. `saved` is what requests would have cost that the archive answered.
CREATE TABLE spend_totals (
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    month TEXT COLLATE "C" NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    schema TEXT COLLATE "C" NOT NULL,
    reserved_nanousd BIGINT NOT NULL DEFAULT 0,
    settled_nanousd BIGINT NOT NULL DEFAULT 0,
    saved_nanousd BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, month, dataset, schema)
);

CREATE INDEX spend_totals_by_month ON spend_totals (month);

INSERT INTO spend_totals (
    job_id, month, dataset, schema, reserved_nanousd, settled_nanousd, bytes
)
SELECT
    s.job_id,
    to_char(to_timestamp(s.reserved_at / 1000000000) AT TIME ZONE 'UTC', 'YYYY-MM'),
    c.dataset,
    c.schema,
    sum(CASE WHEN s.settled_nanousd IS NULL THEN s.reserved_nanousd ELSE 0 END),
    sum(coalesce(s.settled_nanousd, 0)),
    sum(coalesce(s.bytes, 0))
FROM spend AS s INNER JOIN chunks AS c ON s.chunk_id = c.id
GROUP BY 1, 2, 3, 4;
