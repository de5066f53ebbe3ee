-- What was done by whom on whom: written with what it records, never changed. It refers to nothing, as it outlives accounts and
-- channels; the names are those of then.
CREATE TABLE audit_log (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    -- like chat.timedOut
    action TEXT NOT NULL,
    -- NULL where it was done on the server's own console
    actor_id TEXT,
    actor_name TEXT,
    -- NULL for what is of the instance
    channel_id TEXT,
    channel_name TEXT,
    -- whom or what it was done to; NULL where that is the channel or the instance
    target_id TEXT,
    target_name TEXT,
    -- in words
    detail TEXT NOT NULL,
    -- from where; NULL where the instance keeps none, and once its time is over
    address TEXT
);

CREATE INDEX audit_log_by_time ON audit_log (at, id);
CREATE INDEX audit_log_by_channel ON audit_log (channel_id, at, id);
CREATE INDEX audit_log_by_address ON audit_log (at) WHERE address IS NOT NULL;
