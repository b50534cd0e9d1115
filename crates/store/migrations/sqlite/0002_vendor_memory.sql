-- What a person was asked about and answered: the descriptor and the vendor's name at that time. A verdict about no vendor
-- has an empty bc_vendor_id.
ALTER TABLE vendor_links ADD COLUMN descriptor TEXT NOT NULL DEFAULT '';
ALTER TABLE vendor_links ADD COLUMN clean_name TEXT NOT NULL DEFAULT '';
ALTER TABLE vendor_links ADD COLUMN vendor_name TEXT NOT NULL DEFAULT '';

-- What was asked about a record's merchant and what the matcher said last: one row per record, JSON texts.
CREATE TABLE vendor_matches (
    connection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    asked TEXT NOT NULL,
    decision TEXT NOT NULL,
    decided_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, record_id)
) STRICT;
