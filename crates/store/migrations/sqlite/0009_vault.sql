-- Sealed secrets, and the data keys they are sealed under; a data key is itself wrapped by the key-encryption key that key_id names,
-- which is never in the database. A copy of the database is worth nothing without that key.

CREATE TABLE data_keys (
    connection TEXT NOT NULL,
    version INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    nonce BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, version)
) STRICT;

CREATE TABLE secrets (
    connection TEXT NOT NULL,
    system TEXT NOT NULL,
    purpose TEXT NOT NULL,
    host TEXT NOT NULL,
    sealed BLOB NOT NULL,
    nonce BLOB NOT NULL,
    data_version INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    rotated_ms INTEGER,
    expires_ms INTEGER,
    PRIMARY KEY (connection, system, purpose)
) STRICT;
