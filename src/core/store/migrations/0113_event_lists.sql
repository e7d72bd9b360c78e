-- Lists of events by person and by day.
CREATE INDEX event_person ON event (person, sequence);
CREATE INDEX event_at ON event (at_ms);
