-- For how long somebody has subscribed to a channel in all, whichever tiers and with whatever gaps.
CREATE TABLE subscription_tenures (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- milliseconds of the runs that are over
    earlier BIGINT NOT NULL,
    -- the run that goes on, or was last: from when until when
    since BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    -- the last milestone that was told, in months; 0 if none was; -1 if what was reached until it is looked at isn't told
    told BIGINT NOT NULL,
    -- when the next one is reached; NULL if the run ends before
    next_at BIGINT,
    PRIMARY KEY (channel_id, account_id)
);

CREATE INDEX subscription_tenures_by_account ON subscription_tenures (account_id);
CREATE INDEX subscription_tenures_due ON subscription_tenures (next_at);

-- What people have, or had last, counts from where all that they had without a gap began, in whichever tiers. What they reached by now
-- is no news: -1 has the server look at each at once and write it down as told, without telling it.
INSERT INTO subscription_tenures (channel_id, account_id, earlier, since, ends_at, told, next_at)
SELECT runs.channel_id, runs.account_id, 0, MAX(runs.since),
    (SELECT MAX(longest.ends_at) FROM subscriptions longest
        WHERE longest.channel_id = runs.channel_id AND longest.account_id = runs.account_id),
    -1, 0
FROM subscriptions runs WHERE NOT EXISTS (SELECT 1 FROM subscriptions before
    WHERE before.channel_id = runs.channel_id AND before.account_id = runs.account_id
    AND before.since < runs.since AND before.ends_at >= runs.since)
GROUP BY runs.channel_id, runs.account_id;
