-- Tokens of the admin API, each known by the SHA-256 of its secret. One with a user counts as that user; one without is a
-- service of its own. A name is used once, so that the trail says which token it was.

CREATE TABLE api_tokens (
    name TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    user_name TEXT,
    role TEXT NOT NULL,
    connection TEXT,
    created_by TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    revoked_ms INTEGER,
    used_day INTEGER
) STRICT;
