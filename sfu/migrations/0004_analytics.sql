-- Who watched, and how well it played. Times are milliseconds since 1970 in UTC, on a clock that never jumps within a broadcast.

-- Stretches of time that a view was open. A view that comes back goes on in a new one; watch time is their sum.
CREATE TABLE view_spans (
    view_id TEXT NOT NULL REFERENCES views (id) ON DELETE CASCADE,
    -- 1 for a view's first, 2 for its second …
    span BIGINT NOT NULL,
    broadcast_id TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    started_at BIGINT NOT NULL,
    -- NULL while it is open
    ended_at BIGINT,
    PRIMARY KEY (view_id, span)
);

CREATE INDEX view_spans_by_broadcast ON view_spans (broadcast_id, ended_at);
-- Of all that were ever watched, those that are watched now.
CREATE INDEX view_spans_open ON view_spans (ended_at) WHERE ended_at IS NULL;

INSERT INTO view_spans (view_id, span, broadcast_id, started_at, ended_at)
SELECT id, 1, broadcast_id, started_at, ended_at FROM views;

-- What a viewer watches with, and in which country, decided when the view began. Never an address.
ALTER TABLE views ADD COLUMN device TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE views ADD COLUMN browser TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE views ADD COLUMN region TEXT NOT NULL DEFAULT 'unknown';

-- Until when a server is known to have run: written each second while anything is live. One row.
CREATE TABLE heartbeat (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- by the clock that never jumps
    at BIGINT NOT NULL,
    -- by the system's at that moment
    wall BIGINT NOT NULL
);

INSERT INTO heartbeat (only_row, at, wall)
SELECT 1, MAX(last_seen_at), MAX(last_seen_at) FROM broadcasts WHERE ended_at IS NULL HAVING COUNT(*) > 0;

-- Milliseconds by which a broadcast's clock is ahead of the heartbeat's: not 0 only where the system's clock was set meanwhile.
ALTER TABLE broadcasts ADD COLUMN clock_offset BIGINT NOT NULL DEFAULT 0;

-- Spans and the heartbeat say it.
DROP INDEX views_by_broadcast;
ALTER TABLE views DROP COLUMN last_seen_at;
ALTER TABLE views DROP COLUMN ended_at;
ALTER TABLE broadcasts DROP COLUMN last_seen_at;
CREATE INDEX views_by_broadcast ON views (broadcast_id);

-- What happened within a broadcast, beside its start and end.
CREATE TABLE broadcast_marks (
    broadcast_id TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    -- interrupted | resumed | title
    kind TEXT NOT NULL,
    -- the new title
    text TEXT NOT NULL,
    PRIMARY KEY (broadcast_id, at, kind)
);

-- What a view's player said last, clamped to what can be. Totals since the view began.
CREATE TABLE view_reports (
    view_id TEXT NOT NULL PRIMARY KEY REFERENCES views (id) ON DELETE CASCADE,
    broadcast_id TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    -- milliseconds to the first picture
    join_time BIGINT,
    freezes BIGINT NOT NULL,
    -- milliseconds
    frozen_time BIGINT NOT NULL,
    -- when the last freeze ended
    last_freeze_at BIGINT,
    -- milliseconds of all reports together, and how many told it: its mean is the view's
    latency_sum BIGINT NOT NULL,
    latency_count BIGINT NOT NULL,
    codec TEXT,
    -- the picture's height in pixels
    height BIGINT,
    -- scheme, host, port and path of the page around the player; 'unknown' if the browser didn't tell
    embedded_by TEXT,
    -- scheme, host and port of the site that linked here
    referrer TEXT
);

CREATE INDEX view_reports_by_broadcast ON view_reports (broadcast_id);

-- What players said within each 5 s of a broadcast.
CREATE TABLE broadcast_steps (
    broadcast_id TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    -- from the broadcast's start, 0 for its first 5 s
    step BIGINT NOT NULL,
    -- the server's process that heard it: a restart within a step makes a second row
    process TEXT NOT NULL,
    freezes BIGINT NOT NULL,
    -- the players' median latency in milliseconds, and how many there were
    latency BIGINT,
    samples BIGINT NOT NULL,
    PRIMARY KEY (broadcast_id, step, process)
);

-- The figures of broadcasts that are over, as they were worked out once.
CREATE TABLE broadcast_figures (
    broadcast_id TEXT NOT NULL PRIMARY KEY REFERENCES broadcasts (id) ON DELETE CASCADE,
    views BIGINT NOT NULL,
    peak_viewers BIGINT NOT NULL,
    -- milliseconds
    watch_time BIGINT NOT NULL
);
