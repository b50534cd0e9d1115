-- New vendors that people proposed for merchants that are none of the vendors. A row is `creating` before the vendor is made in
-- Business Central; `sent_ms` is when the attempt was committed.

CREATE TABLE vendor_proposals (
    connection TEXT NOT NULL,
    id INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    descriptor TEXT NOT NULL,
    clean_name TEXT NOT NULL,
    record_id TEXT,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    decided_ms INTEGER,
    note TEXT,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sent_ms INTEGER,
    settle_until_ms INTEGER,
    probes INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    due_ms INTEGER,
    bc_vendor_id TEXT,
    vendor_number TEXT,
    PRIMARY KEY (connection, id)
) STRICT;

CREATE INDEX vendor_proposals_due ON vendor_proposals (connection, due_ms);
