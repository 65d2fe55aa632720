-- Which UTC days of a slice hold records: one character a day that it touches, `+` for records, `-` for
-- none. NULL where an earlier version loaded it: a replay notes them.
ALTER TABLE coverage ADD COLUMN days TEXT;
