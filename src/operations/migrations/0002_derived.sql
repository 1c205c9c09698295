-- Records as they were derived, so that they are not derived at each reading. What stands here can be thrown away:
-- a record is derived again from the graphs whenever its state is not the one noted.
CREATE TABLE derived (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    -- JSON, compressed with zstd.
    record BLOB NOT NULL
) STRICT;
