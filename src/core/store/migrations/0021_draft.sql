-- What an applicant has filled in so far, until it is sent or 30 days old.
CREATE TABLE draft (
    visit_hash TEXT PRIMARY KEY,
    fields TEXT NOT NULL,
    letter BLOB,
    letter_name TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT;
