-- The map between BC vendors and the Brex vendor directory, which has no external id. `sent`, `written` and `seen` are JSON:
-- what an open create sends, what Brex last took from us, and what was last seen there. Bank details are in none of them.

CREATE TABLE brex_vendors (
    connection TEXT COLLATE "C" NOT NULL,
    bc_id TEXT COLLATE "C" NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    bc_name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    presence TEXT NOT NULL,
    name TEXT,
    name_key TEXT COLLATE "C",
    state TEXT NOT NULL,
    brex_id TEXT COLLATE "C",
    ours BIGINT NOT NULL,
    sent TEXT,
    written TEXT,
    seen TEXT,
    attempt BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    hold_code TEXT,
    hold_text TEXT,
    due_ms BIGINT,
    looked_ms BIGINT,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (connection, bc_id)
);

CREATE INDEX brex_vendors_due ON brex_vendors (connection, due_ms, number) WHERE due_ms IS NOT NULL;
-- Two BC vendors never stand for one Brex vendor.
CREATE UNIQUE INDEX brex_vendors_brex_id ON brex_vendors (connection, brex_id) WHERE brex_id IS NOT NULL;
CREATE INDEX brex_vendors_name_key ON brex_vendors (connection, name_key);
