-- A state that a record had, left and had again is two versions: the time tells them apart.
CREATE TABLE versions (
    key TEXT NOT NULL,
    replaced_at TEXT NOT NULL,
    hash TEXT NOT NULL,
    quads BLOB NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (key, replaced_at)
) STRICT;
INSERT INTO versions (key, replaced_at, hash, quads, job) SELECT key, replaced_at, hash, quads, job FROM history;
DROP TABLE history;
ALTER TABLE versions RENAME TO history;
