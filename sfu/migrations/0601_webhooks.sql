-- Addresses that are told what happens on a channel.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    label TEXT NOT NULL,
    -- what it is told, with spaces before, between and after:  StreamStarted StreamEnded
    kinds TEXT NOT NULL,
    -- 32 bytes in base64, as they are, since deliveries are signed with them
    secret TEXT NOT NULL,
    -- the one before, with which deliveries are signed, too, for a while
    old_secret TEXT,
    old_secret_until BIGINT,
    created_at BIGINT NOT NULL,
    -- when it failed first since it last took something; NULL while it works
    failing_since BIGINT,
    -- NULL while it is told
    disabled_at BIGINT,
    -- owner | failing | gone
    disabled_by TEXT
);

CREATE INDEX webhooks_by_channel ON webhooks (channel_id, created_at, id);

-- What webhooks are to be told, and were: the outbox, and the log of deliveries.
CREATE TABLE webhook_deliveries (
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- the same for every try, and made of what happened, so that what is written down twice is told once
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- just what is signed and sent
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- waiting | delivered | failed
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    -- of one that waits
    next_at BIGINT NOT NULL,
    last_at BIGINT,
    -- what came back, if anything did
    last_status BIGINT,
    last_error TEXT,
    -- milliseconds
    last_took BIGINT,
    PRIMARY KEY (webhook_id, event_id)
);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (state, next_at);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, state, next_at);
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (created_at);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (webhook_id, created_at, event_id);
