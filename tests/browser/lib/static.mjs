// Serves pages/ on another origin than Weir's: a client that is no part of it.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PAGES = resolve(dirname(fileURLToPath(import.meta.url)), '../pages');
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };

export async function serveClientPages() {
  const files = { '/': 'index.html', '/client.js': 'client.js', '/clock': 'clock.html', '/clock.js': 'clock.js' };
  const server = createServer(async (request, response) => {
    const file = files[new URL(request.url, 'http://localhost').pathname];
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[file.split('.').pop()], 'cache-control': 'no-store' });
    return response.end(await readFile(resolve(PAGES, file)));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close().closeAllConnections() };
}
