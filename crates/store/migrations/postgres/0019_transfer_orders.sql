-- Transfers that people ordered: one per invoice and order. What is sent is JSON and never changes. A key and a transfer
-- belong to one order each, whatever else goes wrong.

CREATE TABLE transfer_orders (
    connection TEXT NOT NULL,
    id BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    invoice_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    sends TEXT NOT NULL,
    state TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_ms BIGINT NOT NULL,
    decided_by TEXT,
    decided_ms BIGINT,
    note TEXT,
    epoch BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    first_sent_ms BIGINT,
    sent_ms BIGINT,
    tries BIGINT NOT NULL,
    due_ms BIGINT,
    transfer_id TEXT,
    PRIMARY KEY (connection, id)
);

CREATE UNIQUE INDEX transfer_orders_key ON transfer_orders (connection, idempotency_key);
CREATE UNIQUE INDEX transfer_orders_transfer ON transfer_orders (connection, transfer_id);
CREATE INDEX transfer_orders_due ON transfer_orders (connection, due_ms);

-- A payment line may be applied to several documents: their numbers, with those that are credit memos (JSON).
ALTER TABLE payment_lines ADD COLUMN applies_to_many TEXT;
