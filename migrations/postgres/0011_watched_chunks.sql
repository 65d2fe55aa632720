-- When a chunk was last brought to its end, and how many lately: whoever watches asks each second. A chunk
-- enters the index once, when it is settled.
CREATE INDEX chunks_settled ON chunks (updated_at) WHERE state IN ('done', 'empty');
-- What failed last: chunks that were given up, and those that will be tried again.
CREATE INDEX chunks_failed ON chunks (updated_at)
WHERE state = 'dead' OR (state = 'pending' AND failures > 0);
