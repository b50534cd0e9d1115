-- Push subscriptions in Business Central, one per entity set. `states` are SHA-256 of the client states that its
-- notifications may carry, the newest first: what they are is known to Business Central alone.

CREATE TABLE bc_subscriptions (
    connection TEXT COLLATE "C" NOT NULL,
    entity_set TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT,
    states TEXT NOT NULL,
    renewed_ms BIGINT,
    expires_ms BIGINT,
    PRIMARY KEY (connection, entity_set)
);

-- A notification names a document: whose is it?
CREATE INDEX records_document ON records (connection, document_id);
