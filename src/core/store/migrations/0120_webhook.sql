-- How far the events were told to each webhook of the settings, and how its last try went.
CREATE TABLE webhook (
    name TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    previous INTEGER,
    tries INTEGER NOT NULL,
    next_try_ms INTEGER NOT NULL,
    failing_since_ms INTEGER,
    stopped_ms INTEGER,
    said TEXT NOT NULL,
    said_ms INTEGER,
    delivered INTEGER NOT NULL,
    given_up INTEGER NOT NULL
) STRICT;
