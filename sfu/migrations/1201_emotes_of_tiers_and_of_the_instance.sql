-- The tier that it takes to type an emote: 1 | 2 | 3, or 0 for everybody.
ALTER TABLE chat_emotes ADD COLUMN tier BIGINT NOT NULL DEFAULT 0;

-- Emotes of all channels. Each has its picture by itself: what a channel takes away never takes one of these with it.
CREATE TABLE instance_emotes (
    name TEXT NOT NULL PRIMARY KEY,
    -- SHA-256 of the picture: its address
    hash TEXT NOT NULL,
    -- a PNG in base64; of one that moves, the first picture
    still TEXT NOT NULL,
    -- a PNG that moves, in base64; NULL for most
    moving TEXT,
    added_at BIGINT NOT NULL
);

CREATE INDEX instance_emotes_by_picture ON instance_emotes (hash);
