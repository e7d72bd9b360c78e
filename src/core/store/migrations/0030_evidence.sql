-- The chain of events: append only, no statement of gapura changes or deletes a row of event.
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    person TEXT NOT NULL,
    role TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state_before TEXT,
    state_after TEXT,
    -- JSON object of text to text, without personal data.
    payload TEXT NOT NULL,
    -- JSON object of field name to SHA-256: what binds the values in the table personal.
    commitments TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX event_subject ON event (subject, sequence);

-- Salt and value behind a commitment, encrypted; erasure deletes the row.
CREATE TABLE personal (
    sequence INTEGER NOT NULL REFERENCES event (sequence),
    field TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (sequence, field)
) STRICT;

-- Which values were erased lawfully, and the event that says so.
CREATE TABLE erased (
    sequence INTEGER NOT NULL,
    field TEXT NOT NULL,
    by_event INTEGER NOT NULL REFERENCES event (sequence),
    PRIMARY KEY (sequence, field)
) STRICT;

-- Signed heads of the chain.
CREATE TABLE checkpoint (
    sequence INTEGER PRIMARY KEY,
    head TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL
) STRICT;

-- Public keys; each but the first is signed by the one before.
CREATE TABLE audit_key (
    position INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL UNIQUE,
    public TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    signed_by TEXT,
    signature TEXT
) STRICT;
