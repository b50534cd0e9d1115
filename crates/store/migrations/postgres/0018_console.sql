-- Who may use the console and the admin API. Of passwords only the Argon2id text is kept, of sessions and
-- invitations only the SHA-256. An invitation lets its holder set the user's password once.

CREATE TABLE users (
    name TEXT COLLATE "C" PRIMARY KEY,
    role TEXT NOT NULL,
    password TEXT,
    disabled_ms BIGINT,
    created_ms BIGINT NOT NULL,
    signed_in_ms BIGINT
);

CREATE TABLE invitations (
    user_name TEXT COLLATE "C" PRIMARY KEY,
    token_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    expires_ms BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash TEXT COLLATE "C" PRIMARY KEY,
    user_name TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);

CREATE INDEX sessions_user ON sessions (user_name);

-- What the console lists: the newest first, of all or at a stage; by document number; by how the merchant begins.
CREATE INDEX records_seen ON records (connection, first_seen_ms, id);
CREATE INDEX records_stage ON records (connection, stage, first_seen_ms, id);
CREATE INDEX records_hold ON records (connection, hold_code, first_seen_ms, id) WHERE hold_code IS NOT NULL;
CREATE INDEX records_key ON records (connection, document_key);
CREATE INDEX records_number ON records (connection, document_no);
CREATE INDEX records_exported ON records (connection, exported_ms, first_seen_ms) WHERE exported_ms IS NOT NULL;
-- ASCII letters only, in both databases alike.
ALTER TABLE records ADD COLUMN merchant_lower TEXT COLLATE "C" GENERATED ALWAYS AS (lower(merchant COLLATE "C")) STORED;
CREATE INDEX records_merchant ON records (connection, merchant_lower);
