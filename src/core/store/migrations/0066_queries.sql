-- What each act and each turn of the timers asks for is found by an index.
CREATE INDEX live_record_ends ON live_record (ends_ms) WHERE ends_ms IS NOT NULL;
CREATE INDEX live_record_confirm ON live_record (confirm_by_ms, name)
    WHERE confirm_by_ms IS NOT NULL;
CREATE INDEX live_record_quarantine ON live_record (quarantined_until_ms)
    WHERE state = 'quarantined';
CREATE INDEX request_again ON request (open, rank, number) WHERE revision > 1;
CREATE INDEX request_secret ON request (ended_ms) WHERE secret_hash IS NOT NULL;
CREATE INDEX request_origin_network ON request_origin (network, proven);
CREATE INDEX request_origin_mailbox ON request_origin (mailbox, proven);
CREATE INDEX request_origin_office ON request_origin (office, proven);
CREATE INDEX letter_file ON letter (file);
CREATE INDEX party_link_key ON party_link (party_key);
CREATE INDEX mailbox_code_age ON mailbox_code (sent_ms);
CREATE INDEX form_key_age ON form_key (made_ms);

-- What limits compare with, so that no submit counts all there is: octets of the letters that are kept,
-- open requests without an account by whether their mailbox is proven.
CREATE TABLE tally (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO tally (name, value)
    SELECT 'letter_octets', coalesce(sum(octets), 0) FROM letter WHERE erased_ms IS NULL
    UNION ALL
    SELECT 'open_proven', count(*) FROM request_origin JOIN request USING (number)
        WHERE open = 1 AND proven = 1
    UNION ALL
    SELECT 'open_unproven', count(*) FROM request_origin JOIN request USING (number)
        WHERE open = 1 AND proven = 0;

-- Where a new name looks for those that look like it: keys of the labels they are told by.
CREATE TABLE likeness (
    key INTEGER NOT NULL,
    label TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (key, label, name)
) STRICT, WITHOUT ROWID;
