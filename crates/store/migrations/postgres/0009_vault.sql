-- Sealed secrets, and the data keys they are sealed under; a data key is itself wrapped by the key-encryption key that key_id names,
-- which is never in the database. A copy of the database is worth nothing without that key.

CREATE TABLE data_keys (
    connection TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    wrapped BYTEA NOT NULL,
    nonce BYTEA NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (connection, version)
);

CREATE TABLE secrets (
    connection TEXT COLLATE "C" NOT NULL,
    system TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    host TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    nonce BYTEA NOT NULL,
    data_version BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    rotated_ms BIGINT,
    expires_ms BIGINT,
    PRIMARY KEY (connection, system, purpose)
);
