-- Whom a channel's owner wants in chat: most of the room's modes don't hold for them.
CREATE TABLE chat_vips (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, account_id)
);
