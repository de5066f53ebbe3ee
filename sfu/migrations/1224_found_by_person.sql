-- What goes or loses a name with a person or a channel is found without reading whole tables.
CREATE INDEX subscription_receipts_by_channel ON subscription_receipts (channel_id);
CREATE INDEX subscription_receipts_by_account ON subscription_receipts (account_id);
CREATE INDEX gift_codes_by_account ON gift_codes (redeemed_by);
CREATE INDEX chat_appeals_by_account ON chat_appeals (person_id);
CREATE INDEX invites_by_account ON invites (made_by);
CREATE INDEX chat_messages_answers ON chat_messages (channel_id) WHERE reply_to IS NOT NULL;
CREATE INDEX chat_held_by_decider ON chat_held (decided_by);
CREATE INDEX chat_appeals_by_decider ON chat_appeals (decided_by);
CREATE INDEX chat_actions_by_doer ON chat_actions (done_by);
