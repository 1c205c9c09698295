-- Findings, one a row, with the time for which each holds: reports of former jobs are read from it, too.
CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    rule TEXT NOT NULL,
    -- 2 violation, 1 warning, 0 information
    severity INTEGER NOT NULL,
    -- Whether it says what to write instead.
    suggests INTEGER NOT NULL,
    -- The time of the job that found it first, and of what ended it.
    since TEXT NOT NULL,
    gone_at TEXT,
    finding TEXT NOT NULL
) STRICT;

INSERT INTO findings (source, key, rule, severity, suggests, since, finding)
SELECT records.source, records.key, one.value ->> 'rule',
       CASE one.value ->> 'severity' WHEN 'violation' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END,
       one.value ->> 'suggestion' IS NOT NULL, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), one.value
FROM records, json_each(records.findings) AS one WHERE records.archived_at IS NULL;

CREATE INDEX findings_of_record ON findings (key);
-- All that grouping reads: the findings themselves are long.
CREATE INDEX findings_by_rule ON findings (source, rule, severity, key, suggests, since) WHERE gone_at IS NULL;
CREATE INDEX findings_in_order ON findings (source, id) WHERE gone_at IS NULL;
CREATE INDEX findings_gone ON findings (source, gone_at) WHERE gone_at IS NOT NULL;

ALTER TABLE records DROP COLUMN findings;
