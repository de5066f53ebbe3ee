-- What people sign in with instead of a password: the public half of a key that their device or password manager keeps
-- (W3C WebAuthn Level 3). A row goes when its owner removes it.
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- what the authenticator calls it, in base64url
    credential_id TEXT NOT NULL UNIQUE,
    -- the public key and what was agreed on when it was made, in base64url
    public_key TEXT NOT NULL,
    -- what changes with each use, its counter above all, in base64url
    key_state TEXT NOT NULL,
    -- how its authenticator is reached, a bit for each way
    transports BIGINT NOT NULL,
    -- which one it is, in its owner's words
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL before the first use
    last_used_at BIGINT
);

CREATE INDEX passkeys_by_account ON passkeys (account_id, created_at, id);
