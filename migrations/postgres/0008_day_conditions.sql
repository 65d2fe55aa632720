-- How good the vendor says its data of each day is, by its latest answer: degraded days are loaded and
-- flagged by this table, pending ones come later, missing ones are known gaps. Days without a session
-- may have no row.
CREATE TABLE day_conditions (
    dataset TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    condition TEXT COLLATE "C" NOT NULL CHECK (
        condition IN ('available', 'degraded', 'pending', 'missing')
    ),
    -- The day on which the vendor last changed the data, where it says so.
    last_modified TEXT COLLATE "C",
    checked_at BIGINT NOT NULL,
    PRIMARY KEY (dataset, day)
);
