-- Codes mailed to prove a mailbox, for a draft or a caller of the API. Nothing in it can be read: subject, mailbox, network
-- and code are keyed hashes.
CREATE TABLE mailbox_code (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    network TEXT NOT NULL,
    code TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    proof TEXT NOT NULL
) STRICT;
CREATE INDEX mailbox_code_subject ON mailbox_code (subject, sent_ms);
CREATE INDEX mailbox_code_mailbox ON mailbox_code (mailbox, sent_ms);
CREATE INDEX mailbox_code_network ON mailbox_code (network, sent_ms);
