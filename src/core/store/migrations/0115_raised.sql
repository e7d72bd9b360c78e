-- Why gapura asked for something by itself; NULL where an office did.
ALTER TABLE request ADD COLUMN raised TEXT;
