-- The records of one merchant come in their order, however many there are: before, all of them were sorted for each page.
DROP INDEX records_merchant;
CREATE INDEX records_merchant ON records (connection, merchant_lower, id DESC);
