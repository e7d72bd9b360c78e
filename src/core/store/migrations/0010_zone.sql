-- Zones: what was published, the journal of changes, promoted records, and one full copy of each zone.

-- One line a zone that was ever published. A zone that leaves the settings keeps its line: its
-- serials must never be used again.
CREATE TABLE zone (
    name TEXT PRIMARY KEY,
    -- The serial that is live.
    serial INTEGER NOT NULL,
    -- No serial at or below this one (RFC 1982) may be published again.
    high_water INTEGER NOT NULL,
    -- Serial of the last accepted file; NULL while none was.
    file_serial INTEGER,
    -- SHA-256 over the last accepted file and its includes.
    file_hash TEXT,
    -- The same of a file that was rolled back and is not to be loaded again.
    held_hash TEXT,
    -- 1 once a file had the end marker or a ZONEMD: it may not lose it silently.
    marker INTEGER NOT NULL,
    zonemd INTEGER NOT NULL,
    -- Includes that had the end marker, one path a line.
    marked_includes TEXT NOT NULL,
    -- The change up to which the full copy below holds; NULL while there is no copy.
    copy_seq INTEGER,
    changed_ms INTEGER NOT NULL
) STRICT;

-- One line a change. A first load has no delta: removed and added are NULL.
CREATE TABLE zone_change (
    zone TEXT NOT NULL REFERENCES zone (name),
    seq INTEGER NOT NULL,
    from_serial INTEGER,
    to_serial INTEGER NOT NULL,
    removed BLOB,
    added BLOB,
    removed_count INTEGER NOT NULL,
    added_count INTEGER NOT NULL,
    cause TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (zone, seq)
) STRICT;

-- Promoted RRsets and masks. Empty rdatas: the RRset is taken out. base is the file's RRset that is
-- masked, NULL when the file had none.
CREATE TABLE promoted (
    zone TEXT NOT NULL REFERENCES zone (name),
    owner TEXT NOT NULL,
    rtype INTEGER NOT NULL,
    rrset BLOB NOT NULL,
    base BLOB,
    request TEXT,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (zone, owner, rtype)
) STRICT;

-- The full copy of a zone, in pieces, from which it is served when its file is refused at start-up.
CREATE TABLE zone_copy (
    zone TEXT NOT NULL REFERENCES zone (name),
    seq INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    records BLOB NOT NULL,
    PRIMARY KEY (zone, seq, piece)
) STRICT;
