-- What is seen of the targets of names that are served, and what is held against a name.
CREATE TABLE watch (
    name TEXT PRIMARY KEY,
    zone TEXT NOT NULL,
    -- What it points at, a line each: with other targets it begins anew.
    targets TEXT NOT NULL,
    -- Between two looks.
    every_ms INTEGER NOT NULL,
    next_ms INTEGER NOT NULL,
    looked_ms INTEGER,
    -- What was found last, a line each target.
    found TEXT NOT NULL,
    strikes INTEGER NOT NULL,
    struck_ms INTEGER,
    since_ms INTEGER,
    claimable_ms INTEGER,
    urgent INTEGER NOT NULL,
    -- The suspension that was asked for.
    request TEXT
) STRICT;
CREATE INDEX watch_next ON watch (next_ms);
CREATE INDEX watch_wrong ON watch (urgent, strikes) WHERE strikes > 0 OR claimable_ms IS NOT NULL;
