-- Control tables: what was asked for, how far it is, what is held, what was paid.
--
-- Times are nanoseconds since 1970-01-01 UTC, amounts of money billionths of a US dollar.

-- One row a job: a request that was submitted. The same request twice is the same job.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'cancelled')),
    reason TEXT,
    priority INTEGER NOT NULL,
    max_cost_nanousd INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

-- Where the records come from: the vendor, or the demo's simulation. The two never mix.
CREATE TABLE origin (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    name TEXT NOT NULL
) STRICT;

-- Lists of symbols, each once: a job's chunks share few of them.
CREATE TABLE symbol_sets (
    id INTEGER PRIMARY KEY,
    symbols TEXT NOT NULL UNIQUE
) STRICT;

-- The progress table: one row a chunk.
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    dataset TEXT NOT NULL,
    schema TEXT NOT NULL,
    stype_in TEXT NOT NULL,
    symbols_id INTEGER NOT NULL REFERENCES symbol_sets (id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL CHECK (end_ns > start_ns),
    priority INTEGER NOT NULL,
    -- Where it stands. The epoch counts the claims: whoever commits shows the epoch of its claim.
    state TEXT NOT NULL CHECK (
        state IN ('pending', 'running', 'done', 'empty', 'dead', 'cancelled')
    ),
    due_at INTEGER NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    -- What it should bring and what it brought. fetched = loaded + quarantined + covered.
    expected_records INTEGER,
    billable_bytes INTEGER NOT NULL,
    cost_nanousd INTEGER NOT NULL,
    fetched_records INTEGER NOT NULL DEFAULT 0,
    filtered_records INTEGER NOT NULL DEFAULT 0,
    loaded_records INTEGER NOT NULL DEFAULT 0,
    quarantined_records INTEGER NOT NULL DEFAULT 0,
    covered_records INTEGER NOT NULL DEFAULT 0,
    bytes_received INTEGER NOT NULL DEFAULT 0,
    archive_object TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

-- The same plan submitted twice is as once. What was found empty may be asked for again.
CREATE UNIQUE INDEX chunks_once ON chunks (job_id, schema, symbols_id, start_ns, end_ns)
WHERE state NOT IN ('cancelled', 'empty');
CREATE INDEX chunks_due ON chunks (job_id, priority DESC, id) WHERE state = 'pending';
CREATE INDEX chunks_running ON chunks (lease_until) WHERE state = 'running';
CREATE INDEX chunks_empty ON chunks (dataset, schema, start_ns) WHERE state = 'empty';
CREATE INDEX chunks_by_job ON chunks (job_id, state);

-- Which chunk holds which slice: an instrument's index time in one schema. Instrument -1 stands for
-- every instrument of the dataset.
CREATE TABLE coverage (
    dataset TEXT NOT NULL,
    schema TEXT NOT NULL,
    instrument_id INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL CHECK (end_ns > start_ns),
    chunk_id INTEGER NOT NULL REFERENCES chunks (id),
    PRIMARY KEY (dataset, schema, instrument_id, start_ns)
) STRICT, WITHOUT ROWID;

-- Slices of one instrument never overlap, whatever a program does. Since they don't, only the last
-- slice that starts before the new one's end can reach into it.
CREATE TRIGGER coverage_does_not_overlap BEFORE INSERT ON coverage
WHEN (
    SELECT held.end_ns FROM coverage AS held
    WHERE held.dataset = NEW.dataset AND held.schema = NEW.schema
        AND held.instrument_id = NEW.instrument_id AND held.start_ns < NEW.end_ns
    ORDER BY held.start_ns DESC LIMIT 1
) > NEW.start_ns
BEGIN
    SELECT RAISE(ABORT, 'this slice is held by another chunk');
END;

-- What a symbol meant over which days: start inclusive, end exclusive.
CREATE TABLE symbology (
    dataset TEXT NOT NULL,
    stype_in TEXT NOT NULL,
    symbol TEXT NOT NULL,
    instrument_id INTEGER NOT NULL,
    start_date TEXT NOT NULL,
    end_date TEXT NOT NULL,
    PRIMARY KEY (dataset, stype_in, symbol, instrument_id, start_date)
) STRICT, WITHOUT ROWID;

-- Streams that were received whole and are kept.
CREATE TABLE archive_objects (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    records INTEGER NOT NULL,
    billable_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    fetched_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Money: reserved before a request goes out, settled by what was received. A reservation that was
-- never settled counts as spent.
CREATE TABLE spend (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    chunk_id INTEGER NOT NULL REFERENCES chunks (id),
    epoch INTEGER NOT NULL,
    reserved_nanousd INTEGER NOT NULL,
    settled_nanousd INTEGER,
    bytes INTEGER,
    reserved_at INTEGER NOT NULL,
    settled_at INTEGER
) STRICT;

CREATE INDEX spend_by_job ON spend (job_id);
CREATE INDEX spend_by_chunk ON spend (chunk_id);
