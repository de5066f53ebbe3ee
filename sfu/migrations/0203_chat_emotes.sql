-- Pictures that the server made of what was uploaded for emotes, named by their SHA-256, so that an address never shows
-- another one. Kept as long as an emote shows them.
CREATE TABLE chat_pictures (
    hash TEXT NOT NULL PRIMARY KEY,
    -- a PNG in base64; of one that moves, the first picture
    still TEXT NOT NULL,
    -- a PNG that moves, in base64; NULL for most
    moving TEXT
);

-- Emotes of channels' own.
CREATE TABLE chat_emotes (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL REFERENCES chat_pictures (hash),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, name)
);

CREATE INDEX chat_emotes_by_picture ON chat_emotes (hash);
