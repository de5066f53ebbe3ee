-- How the instance runs, as those who run it set it. One row; what a setting is until somebody sets it is in the code.
CREATE TABLE instance_settings (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- open | invite | closed
    sign_up TEXT NOT NULL
);

-- What lets people make an account where that takes an invite. One that was revoked is gone; one that is used up stays.
CREATE TABLE invites (
    id TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    -- whom it is for, in the words of who made it
    label TEXT NOT NULL,
    made_by TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- how many made an account with it, and how many may
    uses BIGINT NOT NULL,
    uses_most BIGINT NOT NULL
);

CREATE INDEX invites_by_age ON invites (created_at, id);

-- By which invite somebody came. It may have been revoked since.
ALTER TABLE accounts ADD COLUMN invite_id TEXT;
-- What a person says of themselves, in lines of plain text.
ALTER TABLE accounts ADD COLUMN bio TEXT NOT NULL DEFAULT '';
-- Their picture; NULL for none.
ALTER TABLE accounts ADD COLUMN avatar TEXT;
CREATE INDEX accounts_by_avatar ON accounts (avatar);
-- Since when they may not sign in; NULL for everybody else.
ALTER TABLE accounts ADD COLUMN suspended_at BIGINT;

-- People's pictures, as the server made them from what was uploaded. Named by their SHA-256, so that an address never shows
-- another one.
CREATE TABLE avatars (
    hash TEXT NOT NULL PRIMARY KEY,
    -- png | jpeg
    kind TEXT NOT NULL,
    -- its bytes in base64
    data TEXT NOT NULL
);
