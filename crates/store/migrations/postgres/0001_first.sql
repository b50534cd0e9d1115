-- First schema. Times are milliseconds since 1970 UTC, money is decimal text, plan, detail and attributes are JSON text.
-- COLLATE "C" orders keys by their bytes, as SQLite does, whatever the locale of the server.

CREATE TABLE connections (
    id TEXT COLLATE "C" PRIMARY KEY,
    brex_company_id TEXT,
    bc_company_id TEXT,
    bc_company_name TEXT,
    problem_code TEXT,
    problem_text TEXT,
    problem_since_ms BIGINT,
    created_ms BIGINT NOT NULL
);

CREATE TABLE lanes (
    lane TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT,
    epoch BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);

CREATE TABLE records (
    connection TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    record_type TEXT NOT NULL,
    source_type TEXT NOT NULL,
    amount TEXT,
    currency TEXT,
    merchant TEXT,
    posting_date TEXT,
    stage TEXT COLLATE "C" NOT NULL,
    rev BIGINT NOT NULL,
    hold_code TEXT,
    hold_text TEXT,
    held_ms BIGINT,
    due_ms BIGINT,
    attempts BIGINT NOT NULL,
    vendor_number TEXT,
    document_kind TEXT,
    document_key TEXT,
    document_id TEXT,
    document_no TEXT,
    plan TEXT,
    first_seen_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    exported_ms BIGINT,
    PRIMARY KEY (connection, id)
);

-- Only what waits for work is in this index, so that it stays small while the exported records grow.
CREATE INDEX records_due ON records (connection, stage, due_ms, id) WHERE hold_code IS NULL AND due_ms IS NOT NULL;
CREATE INDEX records_held ON records (connection, id) WHERE hold_code IS NOT NULL;

CREATE TABLE payloads (
    connection TEXT COLLATE "C" NOT NULL,
    record_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (connection, record_id, version, revision)
);

CREATE TABLE intents (
    connection TEXT COLLATE "C" NOT NULL,
    record_id TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    document_kind TEXT NOT NULL,
    document_key TEXT NOT NULL,
    vendor_number TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    settle_until_ms BIGINT NOT NULL,
    probes BIGINT NOT NULL,
    outcome TEXT,
    outcome_ms BIGINT,
    document_id TEXT,
    detail TEXT,
    PRIMARY KEY (connection, record_id, attempt)
);

-- At most one intent of a record may be open: two at once could make two documents.
CREATE UNIQUE INDEX intents_open ON intents (connection, record_id) WHERE outcome IS NULL;

CREATE TABLE inbox (
    connection TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    body_hash TEXT NOT NULL,
    payload TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    handled_ms BIGINT,
    PRIMARY KEY (connection, source, event_id)
);

CREATE INDEX inbox_unhandled ON inbox (connection, received_ms, source, event_id) WHERE handled_ms IS NULL;

-- `requests` counts what people and webhooks asked for; `taken` is that count when the job last started. A request that
-- comes while the job runs makes them differ, so that it is not lost.
CREATE TABLE jobs (
    connection TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    argument TEXT,
    due_ms BIGINT,
    attempts BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    started_ms BIGINT,
    finished_ms BIGINT,
    error TEXT,
    PRIMARY KEY (connection, kind)
);

CREATE TABLE cursors (
    connection TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (connection, name)
);

CREATE TABLE master_data (
    connection TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    bc_id TEXT COLLATE "C" NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL,
    modified_ms BIGINT,
    written_ms BIGINT NOT NULL,
    PRIMARY KEY (connection, kind, bc_id)
);

CREATE TABLE vendor_links (
    connection TEXT COLLATE "C" NOT NULL,
    merchant_key TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    bc_vendor_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    origin TEXT NOT NULL,
    record_id TEXT,
    decided_by TEXT NOT NULL,
    decided_ms BIGINT NOT NULL,
    PRIMARY KEY (connection, merchant_key, seq)
);

CREATE TABLE audit (
    connection TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    state_before TEXT,
    state_after TEXT,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (connection, seq)
);

CREATE INDEX audit_subject ON audit (connection, subject, seq);

CREATE TABLE audit_heads (
    connection TEXT COLLATE "C" PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
