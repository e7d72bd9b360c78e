-- Which node publishes: one row, on a server only. Each publisher has a number above those before it.
CREATE TABLE publishing (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    number  INTEGER NOT NULL,
    node    TEXT NOT NULL,
    url     TEXT,
    -- What a node that forwards to this one shows it.
    token   BLOB NOT NULL,
    -- By the server's clock.
    beat_ms INTEGER NOT NULL
) STRICT;
-- The zones that are served, for the nodes that follow, on a server only: where each comes from, as JSON of publish.
CREATE TABLE served_zone (
    name   TEXT PRIMARY KEY,
    source TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- The number of the publisher that made a change.
ALTER TABLE zone_change ADD COLUMN publisher INTEGER;
-- The node whose file was accepted last.
ALTER TABLE zone ADD COLUMN file_node TEXT;
