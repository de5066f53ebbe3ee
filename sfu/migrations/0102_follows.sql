-- Who follows which channel.
CREATE TABLE follows (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    followed_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, account_id)
);

CREATE INDEX follows_by_account ON follows (account_id, followed_at, channel_id);
CREATE INDEX follows_by_age ON follows (channel_id, followed_at, account_id);
-- Channels are listed by category.
CREATE INDEX channels_by_category ON channels (category);
