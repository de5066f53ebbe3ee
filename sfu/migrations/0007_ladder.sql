-- Whether a channel's owner wants renditions made of what they publish: 1, or 0.
ALTER TABLE channels ADD COLUMN ladder BIGINT NOT NULL DEFAULT 1;
