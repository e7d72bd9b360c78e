-- Figures of a month are taken of the events that brought requests to a result, and lists of what has ended
-- go by the time of arrival.
CREATE INDEX event_result ON event (at_ms)
    WHERE state_after IN ('live', 'rejected', 'withdrawn', 'expired');
CREATE INDEX request_came ON request (open, submitted_ms, number);
