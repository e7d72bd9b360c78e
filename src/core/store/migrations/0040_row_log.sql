-- What each guarded row was left as, in the order in which rows were written: append only.
CREATE TABLE row_log (
    -- 1, 2, 3 … without a gap.
    place INTEGER PRIMARY KEY,
    tbl TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Keyed digest of the row; NULL: the row is gone.
    digest BLOB,
    -- 1: before this change the row was not as the log had left it. Somebody else changed it.
    found INTEGER NOT NULL,
    -- SHA-256 over the hash before and the columns above.
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX row_log_key ON row_log (tbl, key, place);

-- Where log and chain end, under a key that is kept outside the database: one line.
CREATE TABLE row_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    -- The last event.
    sequence INTEGER NOT NULL,
    event_hash TEXT NOT NULL,
    mac BLOB NOT NULL
) STRICT;
