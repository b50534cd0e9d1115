-- New vendors that people proposed for merchants that are none of the vendors. A row is `creating` before the vendor is made in
-- Business Central; `sent_ms` is when the attempt was committed.

CREATE TABLE vendor_proposals (
    connection TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    descriptor TEXT NOT NULL,
    clean_name TEXT NOT NULL,
    record_id TEXT,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    email TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_ms BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    decided_by TEXT,
    decided_ms BIGINT,
    note TEXT,
    attempt BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sent_ms BIGINT,
    settle_until_ms BIGINT,
    probes BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    due_ms BIGINT,
    bc_vendor_id TEXT,
    vendor_number TEXT,
    PRIMARY KEY (connection, id)
);

CREATE INDEX vendor_proposals_due ON vendor_proposals (connection, due_ms);
