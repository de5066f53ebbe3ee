// Evenings that were: rows as the server would have written them, for charts of hours that no test can wait for.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SCRIPT = 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.close()';

/** Numbers that look random and are always the same. */
function noise(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

const quoted = (value) => (value === null ? 'NULL' : typeof value === 'number' ? String(Math.round(value)) : `'${value.replaceAll('\'', '\'\'')}'`);
const insert = (table, row) => `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).map(quoted).join(', ')});`;

/** One of `choices` (value and weight), by a number from 0 to 1. */
function pick(choices, at) {
  let left = at * choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of choices) {
    left -= weight;
    if (left < 0) return value;
  }
  return choices[0][0];
}

/** The rows of a broadcast of `hours` that ended at `end`: people come and go, a crowd arrives, the picture stops once. */
export function evening({ id, title, category = 'Making things', end, hours = 3, views = 300, seed = 7 }) {
  const random = noise(seed);
  const length = hours * 3600_000;
  const start = end - length;
  const rows = [`INSERT INTO broadcasts (id, channel_id, title, category, started_at, ended_at, clock_offset)
    SELECT ${quoted(id)}, id, ${quoted(title)}, ${quoted(category)}, ${start}, ${end}, 0 FROM channels WHERE name = 'ada';`];
  const mark = (part, kind, text = '') => rows.push(insert('broadcast_marks', { broadcast_id: id, at: start + length * part, kind, text }));
  const cut = 0.38;
  mark(cut, 'interrupted');
  mark(cut + 70_000 / length, 'resumed');
  mark(0.55, 'title', 'Digging the second bend, with a guest');
  for (let n = 0; n < views; n += 1) {
    const raid = n < views * 0.28;
    const come = start + length * (raid ? 0.552 + random() * 0.012 : Math.min(0.97, random() ** 1.2));
    const stay = Math.min(end - come, 4000 + -Math.log(1 - random() * 0.999) * length * (raid ? 0.07 : 0.24));
    const view = `${id}-view-${n}`;
    rows.push(insert('views', {
      id: view, broadcast_id: id, started_at: come,
      device: pick([['desktop', 52], ['phone', 37], ['tablet', 6], ['tv', 3], ['unknown', 2]], random()),
      browser: pick([['Chrome', 49], ['Firefox', 22], ['Safari', 19], ['Edge', 8], ['unknown', 2]], random()),
      region: pick([['DE', 44], ['NL', 17], ['GB', 12], ['US', 10], ['AT', 7], ['FR', 1.2], ['JP', 1], ['SE', 1], ['unknown', 4]], random()),
    }));
    rows.push(insert('view_spans', { view_id: view, span: 1, broadcast_id: id, started_at: come, ended_at: come + stay }));
    const froze = random() < 0.12;
    rows.push(insert('view_reports', {
      view_id: view, broadcast_id: id, sequence: 9, join_time: 250 + random() ** 3 * 1500, freezes: froze ? 1 + random() * 3 : 0,
      frozen_time: froze ? 300 + random() * 4000 : 0, last_freeze_at: froze ? come + stay * random() : null,
      latency_sum: (320 + random() ** 4 * 900) * 20, latency_count: 20,
      codec: pick([['AV1', 74], ['VP9', 14], ['H264', 12]], random()), height: pick([[720, 71], [360, 22], [180, 7]], random()),
      embedded_by: random() < 0.18 ? pick([['https://garden-forum.example/live', 3], ['https://water-blog.example/2026/the-river', 1]], random()) : null,
      referrer: pick([[null, 46], ['https://garden-forum.example', 31], ['https://search.example', 12], ['https://social.example', 11]], random()),
    }));
  }
  let sequence = seed * 10_000;
  for (let step = 0; step < length / 5000; step += 1) {
    const part = (step * 5000) / length;
    const crowd = part > 0.55 && part < 0.62;
    const gone = part > cut && part < cut + 70_000 / length;
    const freezes = (gone && random() < 0.3) || (crowd && random() < 0.25) ? 1 + Math.floor(random() * 4) : random() < 0.012 ? 1 : 0;
    rows.push(insert('broadcast_steps', {
      broadcast_id: id, step, process: 'p', freezes, latency: gone ? null : 310 + random() * 60 + (crowd ? 500 * Math.sin((part - 0.55) * 45) : 0), samples: gone ? 0 : 20,
    }));
    const messages = random() < (crowd ? 0.9 : 0.3) ? 1 + Math.floor(random() * (crowd ? 5 : 2)) : 0;
    for (let n = 0; n < messages; n += 1) {
      sequence += 1;
      const person = Math.floor(random() * 41);
      rows.push(`INSERT INTO chat_messages (id, channel_id, sequence, sent_at, person_id, author_name, badges, fragments, broadcast_id)
        SELECT '${id}-message-${sequence}', id, ${sequence}, ${Math.round(start + step * 5000 + random() * 4900)}, 'guest-${person}', 'Guest ${person}', '[]', '[]', '${id}' FROM channels WHERE name = 'ada';`);
    }
  }
  return rows;
}

/** Writes rows into the database of a server that is stopped, and starts it again. */
export async function remember(weir, rows) {
  await weir.stop();
  const sql = `BEGIN;\n${rows.join('\n')}\nCOMMIT;\n`;
  const run = spawnSync('python3', ['-c', SCRIPT, join(weir.dataDir, 'weir.db')], { input: sql, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`the rows were not taken: ${run.stderr}`);
  await weir.start();
}
