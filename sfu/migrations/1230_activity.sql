-- What happened on a channel, for those who look after it: who followed, subscribed and raided, when it was live. A row is written
-- with what it tells, and goes after 90 days, or once there are 5,000 newer ones.
CREATE TABLE activities (
    -- made as it is written, by which entries are in order: `at` may be another clock's
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    -- made of what happened, so that what is written down twice is there once
    occasion TEXT NOT NULL,
    -- follow | subscription | milestone | raidIn | raidOut | streamStarted | streamEnded
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- whose deed it is, if it is one person's
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    -- a JSON object, as the API has it, without the person
    data TEXT NOT NULL
);

CREATE UNIQUE INDEX activities_once ON activities (channel_id, occasion);
CREATE INDEX activities_by_age ON activities (channel_id, id);
CREATE INDEX activities_by_kind ON activities (channel_id, kind, id);
CREATE INDEX activities_by_account ON activities (account_id);
CREATE INDEX activities_old ON activities (at);
