-- Whose chats somebody moderates is asked each time that they open a page.
CREATE INDEX chat_moderators_by_account ON chat_moderators (account_id, added_at);
