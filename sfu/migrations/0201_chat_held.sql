-- What a room holds, as a JSON object; nothing if absent.
ALTER TABLE chat_rooms ADD COLUMN filters TEXT;

-- Messages that waited for a moderator, or still do.
CREATE TABLE chat_held (
    -- the message's own, should it be let through
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    held_at BIGINT NOT NULL,
    person_id TEXT NOT NULL,
    -- all but its place, as a JSON object
    message TEXT NOT NULL,
    -- a JSON array of why it waits
    reasons TEXT NOT NULL,
    -- the sender's own name for it, so that sent twice it is held once
    sender_key TEXT,
    -- what was live when it was written
    broadcast_id TEXT,
    decided_at BIGINT,
    -- 1 if it was let through
    approved BIGINT,
    decided_by TEXT,
    by_name TEXT,
    UNIQUE (channel_id, person_id, sender_key)
);

CREATE INDEX chat_held_open ON chat_held (channel_id, decided_at, held_at, id);
