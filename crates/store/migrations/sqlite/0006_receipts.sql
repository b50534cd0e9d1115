-- The receipts of records on their way to a document, and once they are there. A row is written before the entry of the file is
-- made in Business Central; `sent_ms` is when, as long as it is not known what became of it.

CREATE TABLE receipts (
    connection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    receipt_id TEXT NOT NULL,
    file_name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    attachment_id TEXT,
    sent_ms INTEGER,
    attached_ms INTEGER,
    PRIMARY KEY (connection, record_id, receipt_id)
) STRICT;
