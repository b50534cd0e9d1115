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
