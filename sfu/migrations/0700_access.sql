-- The ways into a private channel, beside roles. A channel without a row has none of these.
CREATE TABLE channel_access (
    channel_id TEXT NOT NULL PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    -- argon2id, in PHC's format; NULL for no password
    password_hash TEXT,
    -- signs the passes of those who knew the password, 256 random bits in base64url; another one with each password
    password_key TEXT,
    -- subscribers of this tier or a higher one get in; NULL for none
    subscriber_tier BIGINT
);

-- People whom the owner lets in by name.
CREATE TABLE channel_admitted (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, account_id)
);

CREATE INDEX channel_admitted_by_account ON channel_admitted (account_id);

-- Links that the owner hands out. One that was revoked is gone; one that is used up or over stays.
CREATE TABLE channel_access_links (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    -- SHA-256 of what the address holds
    token_hash TEXT NOT NULL UNIQUE,
    -- signs the passes of those who came by it, 256 random bits in base64url
    pass_key TEXT NOT NULL,
    -- whom it is for, in the owner's words
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- until when it can be used; NULL until it is revoked
    expires_at BIGINT,
    -- how many came in by it, and how many may; NULL for any number
    uses BIGINT NOT NULL,
    uses_most BIGINT
);

CREATE INDEX channel_access_links_by_age ON channel_access_links (channel_id, created_at, id);
