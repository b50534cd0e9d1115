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
