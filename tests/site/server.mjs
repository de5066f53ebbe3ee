// A small site that shows Weir's player: another origin, with no part in Weir. By hand:
//
//   node tests/site/server.mjs http://127.0.0.1:8080 ada [port]
//
// and open what it says.
import { createServer } from 'node:http';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PAGES = resolve(dirname(fileURLToPath(import.meta.url)), 'pages');
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/**
 * Serves pages/ with `{{weir}}`, `{{channel}}`, and `{{query.…}}` put in. `host` is how the pages' origin calls this
 * machine: `localhost` and `127.0.0.1` are two sites to a browser.
 */
export async function serveSite({ weir, channel, host = 'localhost', port = 0 }) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const name = url.pathname === '/' ? 'index.html' : url.pathname.slice(1);
    if (!(await readdir(PAGES)).includes(name)) return response.writeHead(404).end();
    const text = await readFile(resolve(PAGES, name), 'utf8');
    const filled = text.replace(/\{\{(weir|channel|query\.(\w+))\}\}/g, (_, what, parameter) => (
      escape(parameter ? url.searchParams.get(parameter) ?? '' : { weir, channel }[what])));
    response.writeHead(200, { 'content-type': TYPES[name.split('.').pop()], 'cache-control': 'no-store' });
    return response.end(filled);
  });
  await new Promise((ready) => server.listen(port, '127.0.0.1', ready));
  const origin = `http://${host}:${server.address().port}`;
  return { origin, close: () => server.close().closeAllConnections() };
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const [weir, channel, port] = argv.slice(2);
  if (!weir || !channel) {
    console.error('usage: node server.mjs WEIR CHANNEL [port]');
    process.exit(2);
  }
  const { origin } = await serveSite({ weir, channel, port: Number(port ?? 0) });
  console.log(`${origin} shows ${channel} of ${weir}`);
}
