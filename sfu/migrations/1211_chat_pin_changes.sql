-- That a message was pinned is kept by its id from now on: here were its words, which outlived the message. Whoever comes back from
-- before this reads what is pinned with the room.
DELETE FROM chat_changes WHERE change LIKE '{"type":"pinned"%';
