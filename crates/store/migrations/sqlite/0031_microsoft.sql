-- The account of Microsoft Entra ID (its object id) that a user signs in with. It is bound the first time, so that an account that gets
-- the name of another later on is not let in as that one.

ALTER TABLE users ADD COLUMN microsoft TEXT;
CREATE UNIQUE INDEX users_microsoft ON users (microsoft) WHERE microsoft IS NOT NULL;
