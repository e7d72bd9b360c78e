-- What changed at promised names, for their owners: the records of a name before and after each change.
CREATE TABLE name_change (
    zone TEXT NOT NULL,
    -- The place of the change in the zone's journal.
    seq INTEGER NOT NULL,
    -- The name whose records changed.
    name TEXT NOT NULL,
    -- The promised name: this one, or the nearest above it.
    record TEXT NOT NULL,
    serial INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    way TEXT NOT NULL,
    request TEXT,
    -- Lines of text.
    was TEXT NOT NULL,
    now_is TEXT NOT NULL,
    -- What told the owner.
    notice TEXT,
    PRIMARY KEY (zone, seq, name)
) STRICT;
CREATE INDEX name_change_record ON name_change (record, at_ms);

-- How far each zone's journal was read for this.
CREATE TABLE followed (
    zone TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;

-- Links by which the owner of a name reads its history.
CREATE TABLE owner_link (
    name TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    ends_ms INTEGER NOT NULL
) STRICT;
