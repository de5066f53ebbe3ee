-- What people are told. What is alike is gathered into one row until it is read.
CREATE TABLE notifications (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- went_live | mention | follower | system
    kind TEXT NOT NULL,
    -- what is alike has the same
    gathered_by TEXT NOT NULL,
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- a path of this server
    url TEXT NOT NULL,
    picture TEXT,
    -- how many times it happened since it was read
    times BIGINT NOT NULL,
    -- when it happened last
    at BIGINT NOT NULL,
    -- NULL until it is read
    read_at BIGINT,
    -- 1 if the bell shows it, 0 if it goes by push alone
    in_app BIGINT NOT NULL
);

CREATE INDEX notifications_by_account ON notifications (account_id, at, id);

-- Of what somebody was told already, so that the same thing told twice, as after a crash, is told once. A row goes after 30 days.
CREATE TABLE notified (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- what happened
    occasion TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account_id, occasion)
);

CREATE INDEX notified_by_age ON notified (at);

-- By which ways and when people want to be told; who has no row, as everybody is who said nothing.
CREATE TABLE notification_preferences (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    -- a JSON object, as the API has it
    choices TEXT NOT NULL
);

-- Browsers that are told by push.
CREATE TABLE push_browsers (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- by which it asked to be told: whoever signs out there is told there no more
    login_id TEXT NOT NULL REFERENCES logins (id) ON DELETE CASCADE,
    -- where its push service takes messages for it. Whoever knows it can't read what is sent there
    endpoint TEXT NOT NULL UNIQUE,
    -- what messages are encrypted with, in base64url, as it is
    public_key TEXT NOT NULL,
    secret TEXT NOT NULL,
    device TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX push_browsers_by_account ON push_browsers (account_id);
CREATE INDEX push_browsers_by_login ON push_browsers (login_id);

-- What the server proves itself with to push services: 32 bytes in base64url, as it is, since it signs. One row, made with the
-- first start; with another key, browsers have to subscribe anew.
CREATE TABLE push_key (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    private_key TEXT NOT NULL
);

-- The outbox: messages that are to leave the server. A row is written with its notification, and goes when it was delivered or
-- given up.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    notification_id TEXT NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    push_id TEXT NOT NULL REFERENCES push_browsers (id) ON DELETE CASCADE,
    -- not before then
    due_at BIGINT NOT NULL,
    -- how often it was tried
    tries BIGINT NOT NULL
);

CREATE INDEX outbox_by_time ON outbox (due_at);
CREATE INDEX outbox_by_notification ON outbox (notification_id);
CREATE INDEX outbox_by_browser ON outbox (push_id);
