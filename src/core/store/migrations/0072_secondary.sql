-- When a primary of a secondary zone was heard last: the SOA's EXPIRE counts from then on, over restarts
-- too (epoch ms).
CREATE TABLE secondary (
    zone TEXT PRIMARY KEY,
    refreshed_ms INTEGER NOT NULL
) STRICT;
