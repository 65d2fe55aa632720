-- Data quality: which rules a job applies, which records failed them, and how often.

-- Rules that the job turns on or off, as JSON, and the share of a chunk, in millionths, that may be
-- quarantined; NULL leaves it to the installation's setting.
ALTER TABLE jobs ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN quarantine_limit INTEGER;

-- The table that a chunk's rows are in, and the version of the mapping and rules that made them.
ALTER TABLE chunks ADD COLUMN market_table TEXT;
ALTER TABLE chunks ADD COLUMN rules_version TEXT;

-- Records that failed a rule of severity `error`: in no market table, and whole in here. A record's
-- number is its place in the archived stream, from 0. `rule` is the first that it failed, `failed` all
-- rules of severity `error`, as a JSON list, and `found` the values that they look at; `attempt` is the
-- epoch of the claim that decided it.
CREATE TABLE quarantine (
    chunk_id INTEGER NOT NULL REFERENCES chunks (id),
    record_number INTEGER NOT NULL,
    instrument_id INTEGER NOT NULL,
    index_time INTEGER NOT NULL,
    rule TEXT NOT NULL,
    found TEXT NOT NULL,
    failed TEXT NOT NULL,
    severity TEXT NOT NULL,
    record TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    rules_version TEXT NOT NULL,
    quarantined_at INTEGER NOT NULL,
    PRIMARY KEY (chunk_id, record_number)
) STRICT, WITHOUT ROWID;

-- How many of a chunk's own records failed each rule; a rule that none failed has no row.
CREATE TABLE rule_failures (
    chunk_id INTEGER NOT NULL REFERENCES chunks (id),
    rule TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'info')),
    records INTEGER NOT NULL CHECK (records > 0),
    PRIMARY KEY (chunk_id, rule)
) STRICT, WITHOUT ROWID;

-- A replayed chunk gives its slices up and takes them again.
CREATE INDEX coverage_by_chunk ON coverage (chunk_id);
