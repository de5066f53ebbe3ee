-- For how long somebody has subscribed to a channel in all, whichever tiers and with whatever gaps.
CREATE TABLE subscription_tenures (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- milliseconds of the runs that are over
    earlier BIGINT NOT NULL,
    -- the run that goes on, or was last: from when until when
    since BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    -- the last milestone that was told, in months; 0 if none was
    told BIGINT NOT NULL,
    -- when the next one is reached; NULL if the run ends before
    next_at BIGINT,
    PRIMARY KEY (channel_id, account_id)
);

CREATE INDEX subscription_tenures_by_account ON subscription_tenures (account_id);
CREATE INDEX subscription_tenures_due ON subscription_tenures (next_at);

-- What people have now counts from when they have had it.
INSERT INTO subscription_tenures (channel_id, account_id, earlier, since, ends_at, told, next_at)
SELECT channel_id, account_id, 0, MIN(since), MAX(ends_at), 0,
    CASE WHEN MAX(ends_at) - MIN(since) >= 7776000000 THEN MIN(since) + 7776000000 END
FROM subscriptions WHERE ends_at = (SELECT MAX(longest.ends_at) FROM subscriptions longest
    WHERE longest.channel_id = subscriptions.channel_id AND longest.account_id = subscriptions.account_id)
GROUP BY channel_id, account_id;
