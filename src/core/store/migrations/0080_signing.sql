-- How a zone is signed: the policy and the keys with their rolls, each as JSON. Private keys are in files.
CREATE TABLE signing (
    zone TEXT PRIMARY KEY,
    policy TEXT NOT NULL,
    key_set TEXT NOT NULL
) STRICT;
