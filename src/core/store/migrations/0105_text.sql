-- Texts of pages and papers that an administrator wrote in the place of those shipped.
CREATE TABLE text (
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    body TEXT NOT NULL,
    person TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (name, language)
) STRICT;
