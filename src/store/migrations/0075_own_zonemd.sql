-- 1 while what is served has a ZONEMD record that gapura made (RFC 8976).
ALTER TABLE zone ADD COLUMN own_zonemd INTEGER NOT NULL DEFAULT 0;
