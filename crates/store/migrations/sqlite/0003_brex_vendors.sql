-- The map between BC vendors and the Brex vendor directory, which has no external id. `sent`, `written` and `seen` are JSON:
-- what an open create sends, what Brex last took from us, and what was last seen there. Bank details are in none of them.

CREATE TABLE brex_vendors (
    connection TEXT NOT NULL,
    bc_id TEXT NOT NULL,
    number TEXT NOT NULL,
    bc_name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    presence TEXT NOT NULL,
    name TEXT,
    name_key TEXT,
    state TEXT NOT NULL,
    brex_id TEXT,
    ours INTEGER NOT NULL,
    sent TEXT,
    written TEXT,
    seen TEXT,
    attempt INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    hold_code TEXT,
    hold_text TEXT,
    due_ms INTEGER,
    looked_ms INTEGER,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, bc_id)
) STRICT;

CREATE INDEX brex_vendors_due ON brex_vendors (connection, due_ms, number) WHERE due_ms IS NOT NULL;
-- Two BC vendors never stand for one Brex vendor.
CREATE UNIQUE INDEX brex_vendors_brex_id ON brex_vendors (connection, brex_id) WHERE brex_id IS NOT NULL;
CREATE INDEX brex_vendors_name_key ON brex_vendors (connection, name_key);
