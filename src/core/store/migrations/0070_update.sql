-- An UPDATE (RFC 2136) put the RRset up: the name of its key. NULL where request is set.
ALTER TABLE promoted ADD COLUMN update_key TEXT;
