-- Requests of persons about their own data (UU 27/2022), each with its clock of 3 x 24 hours. What was
-- asked and answered is sealed, and blanked a year after the answer; the chain has an event of each.
CREATE TABLE subject_request (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    request TEXT,
    came_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    answered_ms INTEGER,
    outcome TEXT,
    body BLOB
) STRICT;
CREATE INDEX subject_request_open ON subject_request (answered_ms, due_ms);
