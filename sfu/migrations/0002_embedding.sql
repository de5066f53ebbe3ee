-- Which pages may show a channel's player and chat, as JSON: {"allow":"anywhere"}, for one.
ALTER TABLE channels ADD COLUMN embedding TEXT NOT NULL DEFAULT '{"allow":"anywhere"}';
