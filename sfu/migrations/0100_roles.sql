-- What a channel's owner made of people on it, beside its chat's moderators.
CREATE TABLE channel_roles (
    channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- editor | vip
    role TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, account_id)
);

CREATE INDEX channel_roles_by_account ON channel_roles (account_id);
