-- Whose turn it is to fetch a stream: the chunk, and the epoch of its claim. Nobody's, where that claim no
-- longer holds.
CREATE TABLE fetches (
    archive_key TEXT PRIMARY KEY,
    chunk_id INTEGER NOT NULL REFERENCES chunks (id),
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX fetches_by_chunk ON fetches (chunk_id);
