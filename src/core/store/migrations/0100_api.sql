-- What changed last, for programs that follow the queue.
CREATE INDEX request_changed ON request (changed_ms, number);
-- First answers to calls that may be repeated, sealed: kept for a day.
CREATE TABLE call_once (
    -- Keyed hash of who called and the key they gave.
    key_hash TEXT PRIMARY KEY,
    -- Keyed hash of what was called and sent.
    call_hash TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    answer BLOB NOT NULL
) STRICT;
CREATE INDEX call_once_age ON call_once (at_ms);
