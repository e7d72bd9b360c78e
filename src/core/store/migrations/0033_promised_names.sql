-- Names a new one is compared with, without reading the sealed bodies beside them.
CREATE INDEX live_record_promised ON live_record (zone, state, name, office);
