-- What programs prove themselves with. A row goes when its owner revokes it; one that is over stays, to be seen in the list.
CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    -- what it is for, in its owner's words
    label TEXT NOT NULL,
    -- what it may do, with spaces between: read chat:write chat:moderate channel:write
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- to the minute; NULL before the first use
    last_used_at BIGINT,
    -- NULL for never
    expires_at BIGINT
);

CREATE INDEX api_tokens_by_account ON api_tokens (account_id, created_at, id);

-- Broadcasts that a program announced before their media came, each with the secret that begins it. A channel has one at
-- most that waits; one that began stays, as its secret goes on publishing to that broadcast.
CREATE TABLE live_starts (
    broadcast_id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    -- 720p | 1080p | 4K: what was asked for
    quality TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- until when it begins a broadcast
    expires_at BIGINT NOT NULL,
    -- when a later one took its place; NULL for the one that counts
    replaced_at BIGINT
);

CREATE INDEX live_starts_by_channel ON live_starts (channel_id, replaced_at);

-- How tall the picture of a broadcast was when it was measured last.
CREATE TABLE broadcast_heights (
    broadcast_id TEXT NOT NULL PRIMARY KEY REFERENCES broadcasts (id) ON DELETE CASCADE,
    -- pixels
    height BIGINT NOT NULL
);
