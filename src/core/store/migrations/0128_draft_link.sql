-- Links mailed for drafts. Nothing in it opens anything: token, mailbox and network are keyed hashes. A link that was used or
-- whose draft is gone keeps its row without them for the limits.
CREATE TABLE draft_link (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    draft TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    network TEXT NOT NULL,
    sent_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX draft_link_token ON draft_link (token);
CREATE INDEX draft_link_draft ON draft_link (draft);
CREATE INDEX draft_link_mailbox ON draft_link (mailbox, sent_ms);
CREATE INDEX draft_link_network ON draft_link (network, sent_ms);
