-- How many chunks of a job stand where, and what they brought, schema by schema: kept up with every
-- change of a chunk, so that nobody has to go through a million of them.
CREATE TABLE job_counts (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    schema TEXT NOT NULL,
    first_chunk INTEGER,
    pending INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    empty INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    expected INTEGER NOT NULL DEFAULT 0,
    fetched INTEGER NOT NULL DEFAULT 0,
    loaded INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    covered INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, schema)
) STRICT, WITHOUT ROWID;

INSERT INTO job_counts
SELECT
    job_id,
    schema,
    min(id),
    count(*) FILTER (WHERE state = 'pending'),
    count(*) FILTER (WHERE state = 'running'),
    count(*) FILTER (WHERE state = 'done'),
    count(*) FILTER (WHERE state = 'empty'),
    count(*) FILTER (WHERE state = 'dead'),
    count(*) FILTER (WHERE state = 'cancelled'),
    coalesce(sum(expected_records), 0),
    coalesce(sum(fetched_records), 0),
    coalesce(sum(loaded_records), 0),
    coalesce(sum(quarantined_records), 0),
    coalesce(sum(covered_records), 0),
    coalesce(sum(bytes_received), 0)
FROM chunks GROUP BY job_id, schema;

CREATE TRIGGER chunk_is_counted AFTER INSERT ON chunks BEGIN
    INSERT INTO job_counts (job_id, schema, first_chunk) VALUES (NEW.job_id, NEW.schema, NEW.id)
    ON CONFLICT DO NOTHING;
    UPDATE job_counts SET
        pending = pending + (NEW.state = 'pending'),
        running = running + (NEW.state = 'running'),
        done = done + (NEW.state = 'done'),
        empty = empty + (NEW.state = 'empty'),
        dead = dead + (NEW.state = 'dead'),
        cancelled = cancelled + (NEW.state = 'cancelled'),
        expected = expected + coalesce(NEW.expected_records, 0),
        fetched = fetched + coalesce(NEW.fetched_records, 0),
        loaded = loaded + coalesce(NEW.loaded_records, 0),
        quarantined = quarantined + coalesce(NEW.quarantined_records, 0),
        covered = covered + coalesce(NEW.covered_records, 0),
        bytes = bytes + coalesce(NEW.bytes_received, 0)
    WHERE job_id = NEW.job_id AND schema = NEW.schema;
END;

CREATE TRIGGER chunk_is_counted_anew
AFTER UPDATE OF state, expected_records, fetched_records, loaded_records, quarantined_records, covered_records, bytes_received ON chunks BEGIN
    UPDATE job_counts SET
        pending = pending + (NEW.state = 'pending') - (OLD.state = 'pending'),
        running = running + (NEW.state = 'running') - (OLD.state = 'running'),
        done = done + (NEW.state = 'done') - (OLD.state = 'done'),
        empty = empty + (NEW.state = 'empty') - (OLD.state = 'empty'),
        dead = dead + (NEW.state = 'dead') - (OLD.state = 'dead'),
        cancelled = cancelled + (NEW.state = 'cancelled') - (OLD.state = 'cancelled'),
        expected = expected + coalesce(NEW.expected_records, 0) - coalesce(OLD.expected_records, 0),
        fetched = fetched + coalesce(NEW.fetched_records, 0) - coalesce(OLD.fetched_records, 0),
        loaded = loaded + coalesce(NEW.loaded_records, 0) - coalesce(OLD.loaded_records, 0),
        quarantined = quarantined + coalesce(NEW.quarantined_records, 0) - coalesce(OLD.quarantined_records, 0),
        covered = covered + coalesce(NEW.covered_records, 0) - coalesce(OLD.covered_records, 0),
        bytes = bytes + coalesce(NEW.bytes_received, 0) - coalesce(OLD.bytes_received, 0)
    WHERE job_id = NEW.job_id AND schema = NEW.schema;
END;
