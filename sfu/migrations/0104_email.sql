-- Where people want e-mail.
CREATE TABLE emails (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    -- of the link that confirms it; NULL once it was used
    token_hash TEXT UNIQUE,
    asked_at BIGINT NOT NULL,
    -- NULL until somebody proved that it is theirs
    confirmed_at BIGINT
);

-- Letters that are to leave the server: what is due for one person goes as one. A row is written with its notification, and goes
-- when a mail server took it or it is given up.
CREATE TABLE mail_outbox (
    id TEXT NOT NULL PRIMARY KEY,
    notification_id TEXT NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- the letter that it went into, by its Message-ID; NULL while it waits for more. What is in a letter stays in it, so that
    -- the same letter is tried again and no other
    letter TEXT,
    -- not before then
    due_at BIGINT NOT NULL,
    -- how often it was tried
    tries BIGINT NOT NULL
);

CREATE INDEX mail_outbox_by_time ON mail_outbox (due_at);
CREATE INDEX mail_outbox_by_account ON mail_outbox (account_id, due_at);
CREATE INDEX mail_outbox_by_notification ON mail_outbox (notification_id);
