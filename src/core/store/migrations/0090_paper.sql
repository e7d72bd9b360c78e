-- Papers of the procedure. The file lies in the state directory, sealed, under a random name.
CREATE TABLE paper (
    -- Kind, year and serial, as in SP-2026-0012.
    id TEXT PRIMARY KEY,
    -- NULL: the report of a month.
    request TEXT,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    number TEXT NOT NULL,
    -- The code printed on it; random.
    code TEXT NOT NULL UNIQUE,
    -- The name asked for, or the month.
    about TEXT NOT NULL,
    -- The event it was made of.
    event INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    -- What it says, sealed: it names persons. Empty once they are erased.
    content BLOB NOT NULL,
    -- NULL until it is rendered.
    file TEXT,
    sha256 TEXT,
    octets INTEGER,
    rendered_ms INTEGER,
    -- When it is rendered next, after so many tries that failed; NULL: never.
    tries INTEGER NOT NULL,
    next_try_ms INTEGER,
    supersedes TEXT,
    superseded_by TEXT,
    -- The number the office gave it in its own agenda.
    office_number TEXT,
    -- When its file was deleted.
    erased_ms INTEGER,
    UNIQUE (kind, year, serial)
) STRICT;
CREATE INDEX paper_request ON paper (request, event);
CREATE INDEX paper_next ON paper (next_try_ms) WHERE next_try_ms IS NOT NULL;
CREATE INDEX paper_file ON paper (file) WHERE file IS NOT NULL;

-- The last number given out to each kind in each year; numbers have no gaps.
CREATE TABLE paper_year (
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (kind, year)
) STRICT;
