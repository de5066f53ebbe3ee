-- Who subscribes to which channel: one row a tier, so that a higher one that ends leaves what is below it.
CREATE TABLE subscriptions (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- 1 | 2 | 3
    tier BIGINT NOT NULL,
    since BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, account_id, tier)
);

CREATE INDEX subscriptions_by_account ON subscriptions (account_id, ends_at);
CREATE INDEX subscriptions_by_end ON subscriptions (channel_id, ends_at, account_id);
CREATE INDEX subscriptions_that_end ON subscriptions (ends_at);

-- What billing settled, by its provider's own name for it, so that nothing is credited twice.
CREATE TABLE subscription_receipts (
    receipt TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    tier BIGINT NOT NULL,
    days BIGINT NOT NULL,
    settled_at BIGINT NOT NULL
);

-- Gift codes that were made together.
CREATE TABLE gift_batches (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    -- what they are for, in the owner's words
    label TEXT NOT NULL,
    tier BIGINT NOT NULL,
    -- how long each subscription is
    days BIGINT NOT NULL,
    count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- until when they can be redeemed
    expires_at BIGINT NOT NULL
);

CREATE INDEX gift_batches_by_age ON gift_batches (channel_id, created_at, id);

CREATE TABLE gift_codes (
    -- SHA-256 of the code
    code_hash TEXT NOT NULL PRIMARY KEY,
    batch_id TEXT NOT NULL REFERENCES gift_batches (id) ON DELETE CASCADE,
    -- who redeemed it and when; NULL while nobody did
    redeemed_by TEXT REFERENCES accounts (id) ON DELETE SET NULL,
    redeemed_at BIGINT
);

CREATE INDEX gift_codes_by_batch ON gift_codes (batch_id);
