-- Whom an OpenID provider names, and whose account that is. By issuer and subject alone somebody is known again: names and
-- e-mail addresses change hands.
CREATE TABLE oidc_identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- what the provider called them when they were connected
    known_as TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- One at each provider. An account that was made by one has no password until somebody gives it one: '' is no hash.
CREATE UNIQUE INDEX oidc_identities_by_account ON oidc_identities (account_id, issuer);
