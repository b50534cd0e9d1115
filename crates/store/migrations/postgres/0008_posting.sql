-- What an intent is about: creating the document, posting it, or bringing it in line with a later version (`target` is the plan
-- that the document shall have in the end). When a document was seen to be posted. Vendor payment lines that are prepared.

ALTER TABLE intents ADD COLUMN purpose TEXT NOT NULL DEFAULT 'create';
ALTER TABLE intents ADD COLUMN target TEXT;
ALTER TABLE records ADD COLUMN posted_ms BIGINT;

CREATE TABLE payment_lines (
    connection TEXT COLLATE "C" NOT NULL,
    owner_kind TEXT COLLATE "C" NOT NULL,
    owner_id TEXT COLLATE "C" NOT NULL,
    rev BIGINT NOT NULL,
    journal TEXT NOT NULL,
    external_number TEXT NOT NULL,
    vendor_number TEXT NOT NULL,
    posting_date TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    applies_to TEXT,
    description TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    settle_until_ms BIGINT,
    probes BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    due_ms BIGINT,
    line_id TEXT,
    note TEXT,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (connection, owner_kind, owner_id)
);

CREATE INDEX payment_lines_due ON payment_lines (connection, due_ms);
CREATE INDEX payment_lines_number ON payment_lines (connection, external_number);
