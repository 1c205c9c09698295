-- What readers saw happen to records: a line is a version of one, or says that it left. Lines never change, and both
-- their numbers and their times grow.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    -- The record's node then, which may be another now.
    node TEXT NOT NULL,
    -- create, update, delete
    kind TEXT NOT NULL,
    -- The hash of the statements that it has, or had last.
    hash TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX changes_of_source ON changes (source, key, number);
CREATE INDEX changes_of_record ON changes (key);
