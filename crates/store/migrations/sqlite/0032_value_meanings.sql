-- What people said coded values of Brex mean in Business Central: the number of an account, or the code of a dimension value or tax.

CREATE TABLE value_meanings (
    connection TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    said_by TEXT NOT NULL,
    said_ms INTEGER NOT NULL,
    PRIMARY KEY (connection, field, value)
) STRICT;
