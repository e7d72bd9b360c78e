-- Accounts are no longer locked: tries are counted by where they come from, in memory.
ALTER TABLE person DROP COLUMN failures;
ALTER TABLE person DROP COLUMN locked_until_ms;
