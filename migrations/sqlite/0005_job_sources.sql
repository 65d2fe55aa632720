-- Where a job's records come from: NULL is the vendor, else a folder of DBN files, by its absolute
-- path.
ALTER TABLE jobs ADD COLUMN source TEXT;
