-- What people who are banned or timed out say against it, once for each ban and time-out.
CREATE TABLE chat_appeals (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- ban | timeOut, and when that began, which says which one it was
    against TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    -- what they were called then
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    -- waiting | accepted | declined | over: it was lifted in another way, or another one took its place
    state TEXT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    by_name TEXT,
    answer TEXT NOT NULL,
    UNIQUE (channel_id, person_id, against, began_at)
);

CREATE INDEX chat_appeals_open ON chat_appeals (channel_id, state, made_at, id);
CREATE INDEX chat_appeals_by_person ON chat_appeals (channel_id, person_id, made_at);

-- When a time-out began; 0 for those from before this was kept.
ALTER TABLE chat_silences ADD COLUMN silenced_at BIGINT NOT NULL DEFAULT 0;
-- A salted hash of the network that the person wrote from, so that another name doesn't help; NULL once the time-out is over.
ALTER TABLE chat_silences ADD COLUMN network_hash TEXT;
