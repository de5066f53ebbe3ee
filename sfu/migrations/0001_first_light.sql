-- Types are TEXT and BIGINT alone, so that the same file runs on SQLite and PostgreSQL.
-- Ids are text that sorts by age; times are milliseconds since 1970 in UTC; secrets are SHA-256 hashes in hex.

-- People who sign in.
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    -- owner | member
    role TEXT NOT NULL,
    -- argon2id, in PHC's format
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Browsers that are signed in. A row goes when its login ends.
CREATE TABLE logins (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    device TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- to the minute; a login ends 30 days after it
    last_used_at BIGINT NOT NULL
);

CREATE INDEX logins_by_account ON logins (account_id);

-- The one-time set-up link's token, while nobody has an account: one row or none.
CREATE TABLE setup_token (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    token_hash TEXT NOT NULL
);

-- A streamer's lasting address.
CREATE TABLE channels (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- NULL for one made from the shell before set-up; set-up gives it to the instance's owner
    owner_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    display_name TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    -- a JSON array of text
    tags TEXT NOT NULL,
    -- PUBLIC | UNLISTED | PRIVATE
    visibility TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX channels_by_owner ON channels (owner_id);

-- A channel's stream key. One each: making a new one takes the old one's place.
CREATE TABLE stream_keys (
    channel_id TEXT NOT NULL PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    key_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- The studio's short-lived tokens. Kept, so that a studio goes on publishing after a restart.
CREATE TABLE publish_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE INDEX publish_tokens_by_channel ON publish_tokens (channel_id);

-- Live occurrences.
CREATE TABLE broadcasts (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    category TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    -- when it was last known to be live: its end, if the server was killed
    last_seen_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX broadcasts_by_channel ON broadcasts (channel_id, ended_at);

-- Started watches.
CREATE TABLE views (
    id TEXT NOT NULL PRIMARY KEY,
    broadcast_id TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    started_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX views_by_broadcast ON views (broadcast_id, ended_at);
