-- The whole queue in its order, for lists that no column narrows.
CREATE INDEX request_order ON request (rank, number);
