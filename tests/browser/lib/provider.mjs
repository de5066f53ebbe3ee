// An OpenID provider: a page with one button per person, and what the server asks of it. Node's own crypto signs.
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';

const base64 = (data) => Buffer.from(data).toString('base64url');

export async function serveProvider(people) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const grants = new Map();
  let broken = false;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, issuer);
    const json = (body, status = 200) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (broken) return response.writeHead(503).end('down');
    if (url.pathname === '/.well-known/openid-configuration') {
      return json({
        issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
      });
    }
    if (url.pathname === '/jwks') return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig' }] });
    if (url.pathname === '/authorize') {
      const person = people.find((one) => one.sub === url.searchParams.get('as'));
      if (!person) {
        const button = (one) => `<button name="as" value="${one.sub}" id="${one.sub}">${one.name}</button>`;
        const kept = [...url.searchParams].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
        return response.writeHead(200, { 'content-type': 'text/html' })
          .end(`<!doctype html><title>The club</title><form>${kept.join('')}${people.map(button).join('')}</form>`);
      }
      const code = randomUUID();
      grants.set(code, { person, nonce: url.searchParams.get('nonce'), challenge: url.searchParams.get('code_challenge') });
      const back = new URL(url.searchParams.get('redirect_uri'));
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state'));
      return response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === '/token') {
      let text = '';
      for await (const part of request) text += part;
      const form = new URLSearchParams(text);
      const grant = grants.get(form.get('code'));
      grants.delete(form.get('code'));
      const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      if (!grant || challenge !== grant.challenge) return json({ error: 'invalid_grant' }, 400);
      const now = Math.floor(Date.now() / 1000);
      const { sub, preferred_username, name } = grant.person;
      const claims = { iss: issuer, aud: 'weir', iat: now, exp: now + 60, nonce: grant.nonce, sub, preferred_username, name };
      const input = `${base64(JSON.stringify({ alg: 'RS256', kid: '1' }))}.${base64(JSON.stringify(claims))}`;
      return json({ access_token: 'a', token_type: 'Bearer', id_token: `${input}.${base64(sign('sha256', input, privateKey))}` });
    }
    return response.writeHead(404).end();
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  const issuer = `http://127.0.0.1:${server.address().port}`;
  return {
    issuer,
    env: { WEIR_OIDC_ISSUER: issuer, WEIR_OIDC_CLIENT_ID: 'weir', WEIR_OIDC_CLIENT_SECRET: 's3cret', WEIR_OIDC_NAME: 'The club' },
    /** Whether it answers nothing but that it is down. */
    down: (is) => { broken = is; },
    close: () => { server.closeAllConnections(); server.close(); },
  };
}
