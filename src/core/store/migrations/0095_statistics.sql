-- What was asked, for statistics: sums only, nothing of the clients. Old ones are let go, so all of it is bounded.

-- Queries of a minute, an hour or a day, by response code, type, transport and zone.
CREATE TABLE query_count (
    -- minute, hour or day.
    scale TEXT NOT NULL,
    -- Its beginning, epoch milliseconds; days are those of WIB.
    at_ms INTEGER NOT NULL,
    -- all, rcode, type, transport or zone.
    what TEXT NOT NULL,
    label TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (scale, at_ms, what, label)
) STRICT, WITHOUT ROWID;

-- The names asked for most on a day: ours, and those below our zones that do not exist.
CREATE TABLE query_name (
    day_ms INTEGER NOT NULL,
    exists_here INTEGER NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    -- By how much the count may be too high.
    error INTEGER NOT NULL,
    PRIMARY KEY (day_ms, exists_here, name)
) STRICT, WITHOUT ROWID;

-- Queries for each live name since it is counted.
CREATE TABLE query_live (
    name TEXT PRIMARY KEY,
    since_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
