-- Lists that an administrator changed on a page: every version, the newest in force. One without a body goes
-- back to what the settings file or the program says.
CREATE TABLE list_version (
    list TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT,
    proposal TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (list, version)
) STRICT;
-- Changes that were looked at and not applied yet; kept for a day.
CREATE TABLE list_proposal (
    id TEXT PRIMARY KEY,
    list TEXT NOT NULL,
    body TEXT,
    before_sha256 TEXT NOT NULL,
    person TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
