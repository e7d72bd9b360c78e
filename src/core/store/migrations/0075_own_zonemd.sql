-- 1 while what is served has a ZONEMD record that gapura made (RFC 8976); NULL in a row from before.
ALTER TABLE zone ADD COLUMN own_zonemd INTEGER;
