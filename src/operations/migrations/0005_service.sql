-- no-transaction
-- Sources are followed for years: what people say of them, who accepted them, when they are due. Two sources may
-- have one address (a portal's organisations, each with a filter of its own), and a job may wait before it starts.
PRAGMA foreign_keys = OFF;
BEGIN;

CREATE TABLE sources_next (
    slug TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_complete_at TEXT,
    etag TEXT,
    last_modified TEXT,
    fingerprint TEXT,
    followed_at TEXT,
    filters TEXT NOT NULL DEFAULT '',
    -- The name that addresses show; the first one stays its identifier.
    name TEXT NOT NULL DEFAULT '',
    -- What people say of the source, as JSON.
    settings TEXT NOT NULL DEFAULT '{}',
    -- Whether `moisson.toml` declares it.
    declared INTEGER NOT NULL DEFAULT 0,
    validation TEXT NOT NULL DEFAULT 'accepted',
    validation_comment TEXT,
    validated_by TEXT,
    validated_at TEXT,
    -- When it is harvested next.
    due_at TEXT,
    removed_at TEXT,
    -- What people were last told of it.
    told TEXT
) STRICT;
INSERT INTO sources_next (slug, name, url, kind, created_at, last_complete_at, etag, last_modified, fingerprint, followed_at, filters)
SELECT slug, slug, url, kind, created_at, last_complete_at, etag, last_modified, fingerprint, followed_at, filters FROM sources;
DROP TABLE sources;
ALTER TABLE sources_next RENAME TO sources;
CREATE INDEX sources_by_url ON sources (url);

-- All names that lead to a source: former ones too.
CREATE TABLE names (
    name TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources (slug),
    given_at TEXT NOT NULL
) STRICT;

INSERT INTO names (name, source, given_at) SELECT slug, slug, created_at FROM sources;

CREATE TABLE jobs_next (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources (slug),
    -- command, schedule, person, acceptance
    cause TEXT NOT NULL DEFAULT 'command',
    queued_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    status TEXT NOT NULL,
    -- How often it was begun: once more after each crash.
    attempts INTEGER NOT NULL DEFAULT 1,
    records INTEGER NOT NULL DEFAULT 0,
    pages INTEGER NOT NULL DEFAULT 0,
    cancel_asked INTEGER NOT NULL DEFAULT 0,
    report TEXT
) STRICT;
INSERT INTO jobs_next (id, source, queued_at, started_at, ended_at, status, report)
SELECT id, source, started_at, started_at, ended_at, status, report FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_next RENAME TO jobs;
CREATE INDEX jobs_of_source ON jobs (source, queued_at);
CREATE INDEX jobs_by_status ON jobs (status, queued_at);

-- What became of each record in a job.
CREATE TABLE items (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    key TEXT,
    remote_id TEXT,
    outcome TEXT NOT NULL,
    -- Errors and remarks, as JSON: level, place, message.
    messages TEXT,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_by_outcome ON items (job, outcome, number);

-- Records whose removal waits for a person.
CREATE TABLE held (
    key TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources (slug),
    job TEXT NOT NULL,
    held_at TEXT NOT NULL
) STRICT;
CREATE INDEX held_of_source ON held (source);

-- A record that a person archived stays so, whatever its source says.
ALTER TABLE records ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
-- One that a person detached stays as it is. A state that a person undid does not come back until the source says
-- something else.
ALTER TABLE records ADD COLUMN detached INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN undone_hash TEXT;
-- Its publisher's IRI, where it has one: records of several sources with one IRI are the same.
ALTER TABLE records ADD COLUMN node TEXT NOT NULL DEFAULT '';
CREATE INDEX records_by_node ON records (node) WHERE node <> '';
CREATE INDEX records_by_remote_id ON records (remote_id);
ALTER TABLE renames ADD COLUMN job TEXT NOT NULL DEFAULT '';

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Argon2id of the secret part.
    hash TEXT NOT NULL,
    -- admin, organization
    role TEXT NOT NULL,
    organization TEXT,
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at TEXT
) STRICT;

-- What people are still to be told.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at TEXT NOT NULL,
    sent_at TEXT,
    error TEXT
) STRICT;
CREATE INDEX outbox_due ON outbox (sent_at, due_at);

-- Small facts of the service itself, such as when the last summary was sent.
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

COMMIT;
PRAGMA foreign_keys = ON;
