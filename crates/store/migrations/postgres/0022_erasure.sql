-- What stands in an entry's hash for its detail, so that the detail can be erased together with the salt of that digest. Entries of
-- before have neither.

ALTER TABLE audit ADD COLUMN detail_salt TEXT COLLATE "C";
ALTER TABLE audit ADD COLUMN detail_digest TEXT COLLATE "C";
