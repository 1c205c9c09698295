-- What each live record fulfils of the quality assessment, as JSON.
CREATE TABLE quality (
    key TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    assessment TEXT NOT NULL
) STRICT;
CREATE INDEX quality_of_source ON quality (source);

-- The averages of a source and of its publishers, as JSON.
CREATE TABLE source_quality (
    source TEXT PRIMARY KEY,
    assessed TEXT NOT NULL
) STRICT;

-- Addresses that were asked whether they answer.
CREATE TABLE links (
    url TEXT PRIMARY KEY,
    -- The status of the answer; nothing where there was none.
    status INTEGER,
    -- Why there was none.
    error TEXT,
    answers INTEGER NOT NULL,
    checked_at TEXT NOT NULL
) STRICT;

-- Records that are stored are gone through once more, to be assessed.
UPDATE sources SET fingerprint = NULL, etag = NULL, last_modified = NULL;
