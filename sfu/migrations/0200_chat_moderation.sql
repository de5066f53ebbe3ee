-- A room's modes, what is pinned there, and up to where it was cleared.
ALTER TABLE chat_rooms ADD COLUMN followers BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat_rooms ADD COLUMN followers_minutes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat_rooms ADD COLUMN subscribers BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat_rooms ADD COLUMN emote_only BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat_rooms ADD COLUMN unique_only BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat_rooms ADD COLUMN raids BIGINT NOT NULL DEFAULT 1;
-- the id of the message that is shown above all others
ALTER TABLE chat_rooms ADD COLUMN pinned TEXT;
-- messages up to this place are shown no more
ALTER TABLE chat_rooms ADD COLUMN cleared BIGINT NOT NULL DEFAULT 0;
-- random; what hashes of networks are salted with. Made with the first ban of a guest
ALTER TABLE chat_rooms ADD COLUMN salt TEXT;

-- 1 if it tells what its author does (/me)
ALTER TABLE chat_messages ADD COLUMN is_action BIGINT NOT NULL DEFAULT 0;

-- Who may not write in a room until it is lifted.
CREATE TABLE chat_bans (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL,
    name TEXT NOT NULL,
    banned_at BIGINT NOT NULL,
    banned_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- of a guest: a salted hash of the network they wrote from, so that another name doesn't help. No address is kept
    network_hash TEXT,
    PRIMARY KEY (channel_id, person_id)
);

-- What moderators did, as it was written with the deed. Rows are never changed.
CREATE TABLE chat_actions (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    done_at BIGINT NOT NULL,
    -- who did it, and what they were called then
    done_by TEXT NOT NULL,
    by_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    person_id TEXT,
    person_name TEXT,
    message_id TEXT,
    detail TEXT NOT NULL
);

CREATE INDEX chat_actions_by_time ON chat_actions (channel_id, done_at, id);
CREATE INDEX chat_actions_by_person ON chat_actions (channel_id, person_id, done_at);
