-- When an officer first took a request: the first to be taken has the name, and the others wait.
ALTER TABLE request ADD COLUMN taken_ms INTEGER;
UPDATE request SET taken_ms = submitted_ms WHERE state <> 'submitted';
