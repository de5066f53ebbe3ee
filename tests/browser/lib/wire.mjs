// Stands in front of a server and reads along: what requests and answers say in their heads, on every connection.
import { connect, createServer } from 'node:net';

export async function wireTo(origin) {
  const { hostname, port } = new URL(origin);
  const sockets = new Set();
  const wire = { requests: [], cookies: [] };
  const read = (socket, from) => {
    // Heads may be cut anywhere; a line that is not whole waits for its rest.
    let rest = '';
    socket.on('data', (data) => {
      const lines = (rest + data.toString('latin1')).split('\r\n');
      rest = lines.pop().slice(-4096);
      for (const line of lines) {
        // A body without an end of line stands before the next request of its connection.
        const request = from === 'client' && line.match(/(?:GET|POST|PUT|PATCH|DELETE|OPTIONS) \/\S* (?=HTTP\/1\.1$)/);
        if (request) wire.requests.push(request[0].trim());
        if (/^(set-)?cookie2?:/i.test(line)) wire.cookies.push(`${from}: ${line}`);
      }
    });
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    read(client, 'client');
    read(upstream, 'server');
    client.pipe(upstream).pipe(client);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  wire.origin = `http://127.0.0.1:${server.address().port}`;
  wire.asked = (pattern) => wire.requests.filter((request) => pattern.test(request));
  wire.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return wire;
}
