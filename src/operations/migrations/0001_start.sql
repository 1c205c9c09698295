CREATE TABLE sources (
    slug TEXT PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_complete_at TEXT,
    etag TEXT,
    last_modified TEXT,
    -- What mapping and rules the stored records went through; another value has them gone through again.
    fingerprint TEXT
) STRICT;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources (slug),
    started_at TEXT NOT NULL,
    ended_at TEXT,
    status TEXT NOT NULL,
    report TEXT
) STRICT;

CREATE TABLE records (
    key TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources (slug),
    remote_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    violation INTEGER NOT NULL,
    warning INTEGER NOT NULL,
    info INTEGER NOT NULL,
    findings TEXT,
    missing_since TEXT,
    archived_at TEXT
) STRICT;
CREATE INDEX records_of_source ON records (source, remote_id);

-- A remote identifier that names a record known under an older one.
CREATE TABLE renames (
    source TEXT NOT NULL REFERENCES sources (slug),
    remote_id TEXT NOT NULL,
    key TEXT NOT NULL,
    former_id TEXT NOT NULL,
    renamed_at TEXT NOT NULL,
    PRIMARY KEY (source, remote_id)
) STRICT;

-- Former states: canonical N-Quads, compressed with zstd.
CREATE TABLE history (
    key TEXT NOT NULL,
    hash TEXT NOT NULL,
    quads BLOB NOT NULL,
    replaced_at TEXT NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (key, hash)
) STRICT;
