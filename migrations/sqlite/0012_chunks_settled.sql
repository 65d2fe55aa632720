-- When a chunk was last brought to its end, and how many lately: metrics ask it at each scrape. A chunk
-- enters the index once, when it is settled.
CREATE INDEX chunks_settled ON chunks (updated_at) WHERE state IN ('done', 'empty');
