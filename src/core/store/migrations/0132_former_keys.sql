-- Mailboxes and NIPs that accounts had before: a request that names one of them is its officer's still.
ALTER TABLE person ADD COLUMN former TEXT;
