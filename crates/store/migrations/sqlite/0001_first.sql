-- First schema. Times are milliseconds since 1970 UTC, money is decimal text, plan, detail and attributes are JSON text.
-- STRICT makes SQLite refuse values of another type, as PostgreSQL does.

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    brex_company_id TEXT,
    bc_company_id TEXT,
    bc_company_name TEXT,
    problem_code TEXT,
    problem_text TEXT,
    problem_since_ms INTEGER,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE lanes (
    lane TEXT PRIMARY KEY,
    holder TEXT,
    epoch INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE records (
    connection TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    record_type TEXT NOT NULL,
    source_type TEXT NOT NULL,
    amount TEXT,
    currency TEXT,
    merchant TEXT,
    posting_date TEXT,
    stage TEXT NOT NULL,
    rev INTEGER NOT NULL,
    hold_code TEXT,
    hold_text TEXT,
    held_ms INTEGER,
    due_ms INTEGER,
    attempts INTEGER NOT NULL,
    vendor_number TEXT,
    document_kind TEXT,
    document_key TEXT,
    document_id TEXT,
    document_no TEXT,
    plan TEXT,
    first_seen_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    exported_ms INTEGER,
    PRIMARY KEY (connection, id)
) STRICT;

-- Only what waits for work is in this index, so that it stays small while the exported records grow.
CREATE INDEX records_due ON records (connection, stage, due_ms, id) WHERE hold_code IS NULL AND due_ms IS NOT NULL;
CREATE INDEX records_held ON records (connection, id) WHERE hold_code IS NOT NULL;

CREATE TABLE payloads (
    connection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (connection, record_id, version, revision)
) STRICT;

CREATE TABLE intents (
    connection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    document_kind TEXT NOT NULL,
    document_key TEXT NOT NULL,
    vendor_number TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    settle_until_ms INTEGER NOT NULL,
    probes INTEGER NOT NULL,
    outcome TEXT,
    outcome_ms INTEGER,
    document_id TEXT,
    detail TEXT,
    PRIMARY KEY (connection, record_id, attempt)
) STRICT;

-- At most one intent of a record may be open: two at once could make two documents.
CREATE UNIQUE INDEX intents_open ON intents (connection, record_id) WHERE outcome IS NULL;

CREATE TABLE inbox (
    connection TEXT NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    payload TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    handled_ms INTEGER,
    PRIMARY KEY (connection, source, event_id)
) STRICT;

CREATE INDEX inbox_unhandled ON inbox (connection, received_ms, source, event_id) WHERE handled_ms IS NULL;

-- `requests` counts what people and webhooks asked for; `taken` is that count when the job last started. A request that
-- comes while the job runs makes them differ, so that it is not lost.
CREATE TABLE jobs (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    argument TEXT,
    due_ms INTEGER,
    attempts INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    started_ms INTEGER,
    finished_ms INTEGER,
    error TEXT,
    PRIMARY KEY (connection, kind)
) STRICT;

CREATE TABLE cursors (
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (connection, name)
) STRICT;

CREATE TABLE master_data (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    bc_id TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL,
    modified_ms INTEGER,
    written_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, kind, bc_id)
) STRICT;

CREATE TABLE vendor_links (
    connection TEXT NOT NULL,
    merchant_key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    bc_vendor_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    origin TEXT NOT NULL,
    record_id TEXT,
    decided_by TEXT NOT NULL,
    decided_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, merchant_key, seq)
) STRICT;

CREATE TABLE audit (
    connection TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    state_before TEXT,
    state_after TEXT,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (connection, seq)
) STRICT;

CREATE INDEX audit_subject ON audit (connection, subject, seq);

CREATE TABLE audit_heads (
    connection TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
