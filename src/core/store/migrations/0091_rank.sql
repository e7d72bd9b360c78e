-- Pangkat and golongan, as papers print them.
ALTER TABLE person ADD COLUMN rank TEXT;
