-- Tables of requests that officers filed in bulk. Rows and letters are sealed, and go when the table is dropped or
-- a month is over; what was filed are requests.
CREATE TABLE bulk (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    done_ms INTEGER,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX bulk_person ON bulk (person, at_ms);
CREATE TABLE bulk_row (
    bulk TEXT NOT NULL,
    line INTEGER NOT NULL,
    state TEXT NOT NULL,
    number TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (bulk, line)
) STRICT;
CREATE TABLE bulk_letter (
    bulk TEXT NOT NULL,
    name TEXT NOT NULL,
    octets INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (bulk, name)
) STRICT;
