-- Who may use the console and the admin API. Of passwords only the Argon2id text is kept, of sessions and
-- invitations only the SHA-256. An invitation lets its holder set the user's password once.

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password TEXT,
    disabled_ms INTEGER,
    created_ms INTEGER NOT NULL,
    signed_in_ms INTEGER
) STRICT;

CREATE TABLE invitations (
    user_name TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_user ON sessions (user_name);

-- What the console lists: the newest first, of all or at a stage; by document number; by how the merchant begins.
CREATE INDEX records_seen ON records (connection, first_seen_ms, id);
CREATE INDEX records_stage ON records (connection, stage, first_seen_ms, id);
CREATE INDEX records_hold ON records (connection, hold_code, first_seen_ms, id) WHERE hold_code IS NOT NULL;
CREATE INDEX records_key ON records (connection, document_key);
CREATE INDEX records_number ON records (connection, document_no);
CREATE INDEX records_exported ON records (connection, exported_ms, first_seen_ms) WHERE exported_ms IS NOT NULL;
-- ASCII letters only, in both databases alike.
ALTER TABLE records ADD COLUMN merchant_lower TEXT GENERATED ALWAYS AS (lower(merchant)) VIRTUAL;
CREATE INDEX records_merchant ON records (connection, merchant_lower);
