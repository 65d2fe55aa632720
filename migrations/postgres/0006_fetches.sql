-- Whose turn it is to fetch a stream: the chunk, and the epoch of its claim. Nobody's, where that claim no
-- longer holds.
CREATE TABLE fetches (
    archive_key TEXT COLLATE "C" PRIMARY KEY,
    chunk_id BIGINT NOT NULL REFERENCES chunks (id),
    epoch BIGINT NOT NULL
);

CREATE INDEX fetches_by_chunk ON fetches (chunk_id);
