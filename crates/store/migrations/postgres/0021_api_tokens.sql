-- Tokens of the admin API, each known by the SHA-256 of its secret. One with a user counts as that user; one without is a
-- service of its own. A name is used once, so that the trail says which token it was.

CREATE TABLE api_tokens (
    name TEXT COLLATE "C" PRIMARY KEY,
    token_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    user_name TEXT COLLATE "C",
    role TEXT NOT NULL,
    connection TEXT COLLATE "C",
    created_by TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    revoked_ms BIGINT,
    used_day BIGINT
);
