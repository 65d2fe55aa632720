-- When a chunk was last brought to its end, and how many lately: whoever watches asks each second. A chunk
-- enters the index once, when it is settled.
-- What is summed is in the index as well, so that an hour of work is told without reading its chunks.
CREATE INDEX chunks_settled ON chunks (updated_at, state, loaded_records, bytes_received)
WHERE state IN ('done', 'empty');
-- What failed last: chunks that were given up, and those that will be tried again.
CREATE INDEX chunks_failed ON chunks (updated_at)
WHERE state = 'dead' OR (state = 'pending' AND failures > 0);
CREATE INDEX chunks_failed_of_job ON chunks (job_id, updated_at)
WHERE state = 'dead' OR (state = 'pending' AND failures > 0);
