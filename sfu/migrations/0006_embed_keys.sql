-- The key that a channel's signed embeds are made with: 32 bytes in base64url, as it is, since tokens are made and checked with
-- it. NULL until the first one is made. Another one in its place makes all tokens of the channel worthless.
ALTER TABLE channels ADD COLUMN embed_key TEXT;
