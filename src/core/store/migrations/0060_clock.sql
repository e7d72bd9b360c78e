-- How far the clock was believed: one row.
CREATE TABLE clock (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    believed_ms INTEGER NOT NULL,
    doubted_ms  INTEGER,
    agreed_ms   INTEGER NOT NULL
) STRICT;
