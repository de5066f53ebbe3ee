-- What a channel tells of itself at length, in Markdown.
ALTER TABLE channels ADD COLUMN about TEXT NOT NULL DEFAULT '';

-- When it plans to be live, as JSON; NULL for nothing. Written and read whole.
ALTER TABLE channels ADD COLUMN schedule TEXT;

-- Pictures that the server made of what was uploaded for channels. Each channel has its own, so that they go with it.
CREATE TABLE channel_pictures (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    -- avatar | banner
    place TEXT NOT NULL,
    -- SHA-256 of the picture: its address
    hash TEXT NOT NULL,
    -- png | jpeg
    kind TEXT NOT NULL,
    -- in base64
    data TEXT NOT NULL,
    PRIMARY KEY (channel_id, place)
);

CREATE INDEX channel_pictures_by_hash ON channel_pictures (hash);
