-- The expense in Brex that a record is about. A refund of a purchase has the purchase's own; records that were taken in before
-- this column have none, since their payloads cannot be read here safely.

ALTER TABLE records ADD COLUMN source_id TEXT COLLATE "C";
CREATE INDEX records_source ON records (connection, source_id) WHERE source_id IS NOT NULL;
