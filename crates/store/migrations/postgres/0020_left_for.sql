-- Where the data went when it was moved to another database; whoever finds a row here must work there.
CREATE TABLE left_for (
    place TEXT NOT NULL
);
