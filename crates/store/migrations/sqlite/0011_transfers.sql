-- Transfers of Brex and how they stand against the documents of Business Central. Facts, standings and matches are JSON.
-- `transfer_state.rev` grows with every match that is made or taken apart, so that a run that compared an older state
-- writes nothing. `transfer_decisions` is only ever added to.

CREATE TABLE transfers (
    connection TEXT NOT NULL,
    id TEXT NOT NULL,
    facts TEXT NOT NULL,
    history TEXT NOT NULL,
    settled TEXT,
    standing TEXT,
    suggestion TEXT,
    first_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, id)
) STRICT;

CREATE TABLE transfer_returns (
    connection TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    returned_by TEXT NOT NULL,
    heard_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, transfer_id)
) STRICT;

CREATE TABLE transfer_matches (
    connection TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    found TEXT NOT NULL,
    person TEXT,
    reason TEXT,
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, transfer_id)
) STRICT;

CREATE TABLE transfer_decisions (
    connection TEXT NOT NULL,
    seq INTEGER NOT NULL,
    transfer_id TEXT NOT NULL,
    document_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    person TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, seq)
) STRICT;

CREATE TABLE transfer_documents (
    connection TEXT NOT NULL,
    id TEXT NOT NULL,
    facts TEXT NOT NULL,
    standing TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, id)
) STRICT;

CREATE TABLE transfer_state (
    connection TEXT NOT NULL,
    rev INTEGER NOT NULL,
    reconciled_ms INTEGER,
    PRIMARY KEY (connection)
) STRICT;
