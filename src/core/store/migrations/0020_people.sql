-- People: accounts, second factor, sessions, personal tokens, single-use links, acting officials.
-- Secrets that gapura only has to recognize (sessions, tokens, links) are stored as SHA-256.
CREATE TABLE person (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    full_name TEXT NOT NULL,
    title TEXT NOT NULL,
    role TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    nip TEXT UNIQUE,
    disabled_ms INTEGER,
    password TEXT,
    totp_secret BLOB,
    totp_step INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    token_hash TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    stage TEXT NOT NULL,
    pending_secret BLOB,
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    proven_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_person ON session (person);

CREATE TABLE personal_token (
    id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES person (id),
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,
    network TEXT,
    created_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    used_ms INTEGER,
    revoked_ms INTEGER
) STRICT;
CREATE INDEX personal_token_person ON personal_token (person);

CREATE TABLE access_link (
    token_hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    person TEXT,
    role TEXT NOT NULL,
    email TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT;

CREATE TABLE acting_official (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    role TEXT NOT NULL,
    holder TEXT NOT NULL,
    style TEXT NOT NULL,
    letter TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    ended_ms INTEGER
) STRICT;

-- Keys of forms already taken in, so that a second press finds what the first one made.
CREATE TABLE form_key (
    key_hash TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;

-- Keys of this installation, made at first use.
CREATE TABLE web_secret (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
