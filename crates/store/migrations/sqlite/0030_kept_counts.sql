-- How many records stand where, and how many were exported on each day (UTC): kept by whatever writes a record, since counting a
-- million of them for each look at the overview takes too long. An empty hold_code is no hold.

CREATE TABLE record_counts (
    connection TEXT NOT NULL,
    stage TEXT NOT NULL,
    hold_code TEXT NOT NULL,
    records INTEGER NOT NULL,
    PRIMARY KEY (connection, stage, hold_code)
) STRICT;

CREATE TABLE export_days (
    connection TEXT NOT NULL,
    day INTEGER NOT NULL,
    records INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, day)
) STRICT;

INSERT INTO record_counts (connection, stage, hold_code, records)
SELECT connection, stage, COALESCE(hold_code, ''), COUNT(*) FROM records GROUP BY connection, stage, COALESCE(hold_code, '');

INSERT INTO export_days (connection, day, records, took_ms)
SELECT connection, exported_ms / 86400000, COUNT(*), SUM(exported_ms - first_seen_ms) FROM records
WHERE exported_ms IS NOT NULL GROUP BY connection, exported_ms / 86400000;
