-- Networks and devices that somebody signed in from, so that they are told of others. Each is a salted hash: no address is kept.
CREATE TABLE sign_in_places (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- network | device
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, hash)
);

CREATE INDEX sign_in_places_by_age ON sign_in_places (account_id, kind, last_at);

-- What these are salted with: random, made once. One row.
CREATE TABLE sign_in_salt (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    salt TEXT NOT NULL
);
