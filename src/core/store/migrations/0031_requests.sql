-- The queue. What a body holds is sealed by the rooms above: it names persons.
CREATE TABLE request (
    number TEXT PRIMARY KEY,
    year INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    office TEXT NOT NULL,
    revision INTEGER NOT NULL,
    holder_id TEXT,
    holder TEXT,
    due_ms INTEGER,
    -- due_ms, or the largest number: the order of the queue.
    rank INTEGER NOT NULL,
    starts_ms INTEGER,
    submitted_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    secret_hash TEXT,
    letter TEXT,
    body BLOB NOT NULL,
    UNIQUE (year, serial)
) STRICT;
CREATE INDEX request_queue ON request (open, rank, number);
CREATE INDEX request_state ON request (state, rank, number);
CREATE INDEX request_holder ON request (holder_id, open, rank, number);
CREATE INDEX request_name ON request (name, open);
CREATE INDEX request_age ON request (submitted_ms, number);

-- The last number given out in each year; numbers have no gaps.
CREATE TABLE request_year (
    year INTEGER PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

-- Every revision as it came in.
CREATE TABLE revision (
    number TEXT NOT NULL REFERENCES request (number),
    revision INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    letter TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (number, revision)
) STRICT;

-- Letters; the file lies in the state directory under a random name.
CREATE TABLE letter (
    id TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    media TEXT NOT NULL,
    octets INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    file TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    erased_ms INTEGER
) STRICT;
CREATE INDEX letter_request ON letter (request);

-- What the office has promised about each name.
CREATE TABLE live_record (
    name TEXT PRIMARY KEY,
    zone TEXT NOT NULL,
    state TEXT NOT NULL,
    office TEXT NOT NULL,
    class TEXT,
    origin TEXT NOT NULL,
    request TEXT,
    ends_ms INTEGER,
    confirm_by_ms INTEGER,
    quarantined_until_ms INTEGER,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX live_record_zone ON live_record (zone, name);
CREATE INDEX live_record_state ON live_record (state, name);
CREATE INDEX live_record_office ON live_record (office);
CREATE INDEX live_record_request ON live_record (request);

-- Promotions: committed with the zone's journal entry, settled after the read-back.
CREATE TABLE promotion (
    id TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    zone TEXT NOT NULL,
    -- committed, proven, failed
    state TEXT NOT NULL,
    serial_from INTEGER,
    serial_to INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    -- JSON of promote: what is to be found, and what undoes it.
    plan TEXT NOT NULL,
    -- JSON of promote: questions and answers.
    proof TEXT,
    settled_ms INTEGER
) STRICT;
CREATE INDEX promotion_request ON promotion (request, attempt);
CREATE INDEX promotion_state ON promotion (state);

-- The outbox: one row an event and addressee.
CREATE TABLE notice (
    id TEXT PRIMARY KEY,
    request TEXT,
    state TEXT NOT NULL,
    to_applicant INTEGER NOT NULL,
    next_try_ms INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX notice_state ON notice (state, next_try_ms);
CREATE INDEX notice_request ON notice (request, queued_ms);

-- What the probe found out, by request and revision.
CREATE TABLE probe_result (
    number TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Single-use links by which another party confirms or denies.
CREATE TABLE party_link (
    token_hash TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    party_key TEXT NOT NULL,
    ends_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT;

-- Days nobody works, and other hours for a time.
CREATE TABLE holiday (
    date TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    source TEXT NOT NULL
) STRICT;
CREATE TABLE work_override (
    first TEXT PRIMARY KEY,
    last TEXT NOT NULL,
    hours TEXT NOT NULL,
    source TEXT NOT NULL
) STRICT;
