-- Where a draft comes from, as a keyed hash, and its size: both are limited.
ALTER TABLE draft ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE draft ADD COLUMN octets INTEGER NOT NULL DEFAULT 0;
UPDATE draft SET octets = length(fields) + coalesce(length(letter), 0);
CREATE INDEX draft_network ON draft (network, changed_ms);
CREATE INDEX draft_age ON draft (changed_ms);

-- Where an open request without an account comes from: network and mailbox as keyed hashes.
CREATE TABLE request_origin (
    number TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    office TEXT NOT NULL,
    proven INTEGER NOT NULL
) STRICT;
