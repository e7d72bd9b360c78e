-- Forms of officers that came after their session had ended or when password and code were asked for
-- first: kept for a day, sealed, until the same person comes back to the page.
CREATE TABLE unsent (
    person TEXT NOT NULL,
    page TEXT NOT NULL,
    body BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (person, page)
) STRICT;
