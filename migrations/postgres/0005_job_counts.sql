-- How many chunks of a job stand where, and what they brought, schema by schema: kept up with every
-- change of a chunk, so that nobody has to go through a million of them. The counts are the sums of all
-- rows: each change adds one, so that no two workers wait for each other, and now and then the rows of
-- a schema are folded into one.
CREATE TABLE job_counts (
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    schema TEXT NOT NULL,
    first_chunk BIGINT,
    pending BIGINT NOT NULL DEFAULT 0,
    running BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    empty BIGINT NOT NULL DEFAULT 0,
    dead BIGINT NOT NULL DEFAULT 0,
    cancelled BIGINT NOT NULL DEFAULT 0,
    expected BIGINT NOT NULL DEFAULT 0,
    fetched BIGINT NOT NULL DEFAULT 0,
    loaded BIGINT NOT NULL DEFAULT 0,
    quarantined BIGINT NOT NULL DEFAULT 0,
    covered BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX job_counts_by_job ON job_counts (job_id);

CREATE FUNCTION count_new_chunks() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
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
    FROM added GROUP BY job_id, schema;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_changed_chunk() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_counts VALUES (
        NEW.job_id,
        NEW.schema,
        NULL,
        (NEW.state = 'pending')::int - (OLD.state = 'pending')::int,
        (NEW.state = 'running')::int - (OLD.state = 'running')::int,
        (NEW.state = 'done')::int - (OLD.state = 'done')::int,
        (NEW.state = 'empty')::int - (OLD.state = 'empty')::int,
        (NEW.state = 'dead')::int - (OLD.state = 'dead')::int,
        (NEW.state = 'cancelled')::int - (OLD.state = 'cancelled')::int,
        coalesce(NEW.expected_records, 0) - coalesce(OLD.expected_records, 0),
        coalesce(NEW.fetched_records, 0) - coalesce(OLD.fetched_records, 0),
        coalesce(NEW.loaded_records, 0) - coalesce(OLD.loaded_records, 0),
        coalesce(NEW.quarantined_records, 0) - coalesce(OLD.quarantined_records, 0),
        coalesce(NEW.covered_records, 0) - coalesce(OLD.covered_records, 0),
        coalesce(NEW.bytes_received, 0) - coalesce(OLD.bytes_received, 0)
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER chunks_are_counted AFTER INSERT ON chunks REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION count_new_chunks();

-- A lease that is prolonged changes no count, and costs nothing here.
CREATE TRIGGER chunk_is_counted_anew
AFTER UPDATE OF state, expected_records, fetched_records, loaded_records, quarantined_records, covered_records, bytes_received ON chunks
FOR EACH ROW WHEN (
    (OLD.state, OLD.expected_records, OLD.fetched_records, OLD.loaded_records, OLD.quarantined_records, OLD.covered_records, OLD.bytes_received)
    IS DISTINCT FROM
    (NEW.state, NEW.expected_records, NEW.fetched_records, NEW.loaded_records, NEW.quarantined_records, NEW.covered_records, NEW.bytes_received)
) EXECUTE FUNCTION count_changed_chunk();
