-- What Brex was told about the hold of a record, as JSON; none if nothing was.

ALTER TABLE records ADD COLUMN failure TEXT COLLATE "C";
