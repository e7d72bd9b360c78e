-- Erasures are looked up at each start and after each one.
CREATE INDEX event_erase ON event (sequence) WHERE act = 'erase';
