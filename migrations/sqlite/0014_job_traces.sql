-- Where a job's trace goes on: the W3C context of the submission that its chunks belong to, where
-- that was traced.
ALTER TABLE jobs ADD COLUMN traceparent TEXT;
