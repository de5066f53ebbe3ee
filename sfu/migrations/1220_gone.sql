-- Names of channels and people that are gone. Nobody else is given one before its time is over.
CREATE TABLE kept_names (
    -- channel | account
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- what people read
    display_name TEXT NOT NULL,
    -- whose the channel was, who may have the name again; NULL for nobody. It refers to nothing, as its person may go later
    owner_id TEXT,
    -- which one is gone, and when, for a server beside which it was done
    gone_id TEXT NOT NULL,
    gone_at BIGINT NOT NULL,
    -- until when it is kept
    until_at BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE INDEX kept_names_by_time ON kept_names (gone_at);

-- Since when a channel can't publish nor be watched, as those who run the instance said; NULL for all others.
ALTER TABLE channels ADD COLUMN suspended_at BIGINT;
