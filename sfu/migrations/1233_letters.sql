-- An address that somebody wants in the place of a confirmed one, which stays until this one is confirmed, too.
ALTER TABLE emails ADD COLUMN new_address TEXT;

-- Letters with links to new passwords that are to leave. No link is in them: one is made as a letter leaves, and its hash kept. A
-- row goes when a mail server took its letter, or it is given up.
CREATE TABLE reset_letters (
    -- the letter's Message-ID: tried again, it is the same letter
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    asked_at BIGINT NOT NULL,
    -- not before then
    due_at BIGINT NOT NULL,
    -- how often it was tried
    tries BIGINT NOT NULL
);

CREATE INDEX reset_letters_by_time ON reset_letters (due_at);
CREATE INDEX reset_letters_by_account ON reset_letters (account_id);
