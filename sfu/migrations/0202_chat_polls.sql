-- Polls in chats.
CREATE TABLE chat_polls (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    question TEXT NOT NULL,
    -- a JSON array of text
    options TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE INDEX chat_polls_by_channel ON chat_polls (channel_id, started_at);

-- Who voted what, once each.
CREATE TABLE chat_votes (
    poll_id TEXT NOT NULL REFERENCES chat_polls (id) ON DELETE CASCADE,
    -- an account's id; of a guest a salted hash of their network, or their id
    voter TEXT NOT NULL,
    option_index BIGINT NOT NULL,
    PRIMARY KEY (poll_id, voter)
);
