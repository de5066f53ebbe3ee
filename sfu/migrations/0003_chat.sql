-- Chat rooms, one a channel; a row is made with the room's first update.
CREATE TABLE chat_rooms (
    channel_id TEXT NOT NULL PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    -- the place of the room's last update; it only ever grows
    sequence BIGINT NOT NULL,
    -- 1 if people without an account may write, 0 if not
    guests BIGINT NOT NULL,
    slow_seconds BIGINT NOT NULL
);

-- What was written.
CREATE TABLE chat_messages (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    -- its place among the room's updates
    sequence BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    -- an account's id, or a guest's, which begins with guest-
    person_id TEXT NOT NULL,
    -- name, account and badges are as they were when it was written
    author_name TEXT NOT NULL,
    author_account TEXT,
    -- a JSON array of text
    badges TEXT NOT NULL,
    -- a JSON array of what it says, piece by piece
    fragments TEXT NOT NULL,
    -- a JSON object: what it answers
    reply_to TEXT,
    -- the sender's own name for it, so that sent twice it is taken once
    sender_key TEXT,
    -- what was live when it was written. The broadcast's own row may be written later
    broadcast_id TEXT,
    -- when it was deleted, and by whom
    deleted_at BIGINT,
    deleted_by TEXT,
    UNIQUE (channel_id, sequence),
    UNIQUE (channel_id, person_id, sender_key)
);

CREATE INDEX chat_messages_by_person ON chat_messages (channel_id, person_id, sent_at);
CREATE INDEX chat_messages_by_broadcast ON chat_messages (broadcast_id, sent_at);

-- What else changed in rooms: deletions, time-outs, rules.
CREATE TABLE chat_changes (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- a JSON object, as clients are told
    change TEXT NOT NULL,
    PRIMARY KEY (channel_id, sequence)
);

-- Time-outs. A row of one that is over stays until the same person is timed out again.
CREATE TABLE chat_silences (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL,
    name TEXT NOT NULL,
    until_at BIGINT NOT NULL,
    silenced_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (channel_id, person_id)
);

-- Whom a channel's owner trusts with deleting and time-outs.
CREATE TABLE chat_moderators (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, account_id)
);

-- People who write without an account. Addresses are not kept. A row goes 30 days after its last use.
CREATE TABLE chat_guests (
    id TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- to the day
    last_used_at BIGINT NOT NULL
);

CREATE INDEX chat_guests_by_use ON chat_guests (last_used_at);
