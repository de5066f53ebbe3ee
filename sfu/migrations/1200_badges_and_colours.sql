-- The colour that somebody chose for their name in chats; NULL for the one that it has by itself.
ALTER TABLE accounts ADD COLUMN colour TEXT;

-- The colour of the author's name as it was when the message was written.
ALTER TABLE chat_messages ADD COLUMN author_colour TEXT;

-- Pictures of channels' own for the badges of their subscribers.
CREATE TABLE chat_badges (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    -- 1 | 2 | 3
    tier BIGINT NOT NULL,
    hash TEXT NOT NULL REFERENCES chat_pictures (hash),
    set_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, tier)
);

CREATE INDEX chat_badges_by_picture ON chat_badges (hash);
