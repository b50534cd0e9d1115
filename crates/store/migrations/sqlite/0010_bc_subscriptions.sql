-- Push subscriptions in Business Central, one per entity set. `states` are SHA-256 of the client states that its
-- notifications may carry, the newest first: what they are is known to Business Central alone.

CREATE TABLE bc_subscriptions (
    connection TEXT NOT NULL,
    entity_set TEXT NOT NULL,
    subscription_id TEXT,
    states TEXT NOT NULL,
    renewed_ms INTEGER,
    expires_ms INTEGER,
    PRIMARY KEY (connection, entity_set)
) STRICT;

-- A notification names a document: whose is it?
CREATE INDEX records_document ON records (connection, document_id);
