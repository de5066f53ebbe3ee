-- What happens often is gathered into one delivery of a webhook: who joins is counted, and of what is written in chat its place is
-- kept alone, so that words that are deleted lie in no log. What is sent of it is put together as it is sent.
-- 1 while more is gathered into it
ALTER TABLE webhook_deliveries ADD COLUMN gathers BIGINT NOT NULL DEFAULT 0;
-- what it is gathered of: one broadcast, or the channel's chat ('')
ALTER TABLE webhook_deliveries ADD COLUMN gathered_of TEXT;
-- the last that was gathered, by its id, so that nothing is twice
ALTER TABLE webhook_deliveries ADD COLUMN gathered_last TEXT;
-- how much
ALTER TABLE webhook_deliveries ADD COLUMN gathered BIGINT;
-- the places of the first and last message in the room
ALTER TABLE webhook_deliveries ADD COLUMN from_place BIGINT;
ALTER TABLE webhook_deliveries ADD COLUMN to_place BIGINT;

CREATE INDEX webhook_deliveries_gathering ON webhook_deliveries (webhook_id, gathers, kind);
CREATE INDEX webhook_deliveries_by_kind ON webhook_deliveries (webhook_id, kind, state);
