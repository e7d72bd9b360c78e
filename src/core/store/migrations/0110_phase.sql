-- The phase of the procedure a request is in: a state, split where somebody else has to act.
ALTER TABLE request ADD COLUMN phase TEXT;
