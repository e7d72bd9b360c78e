-- Each change looks up whether its serial was used before.
CREATE INDEX zone_change_serial ON zone_change (zone, to_serial);
