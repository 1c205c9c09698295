-- When what changed at a source was last read to the end, and the filters that it was read with.
ALTER TABLE sources ADD COLUMN followed_at TEXT;
ALTER TABLE sources ADD COLUMN filters TEXT NOT NULL DEFAULT '';
UPDATE sources SET followed_at = last_complete_at;
