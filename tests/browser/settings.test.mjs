// API tokens, who may embed, and what there is to share.
import assert from 'node:assert/strict';
import { eventually, scenario, until } from './harness.mjs';
import { at, click, fill, says, signedIn } from './lib/ui.mjs';

/** A request as a program makes it: no cookie, no origin. */
const program = (weir, method, path, secret, body) => fetch(weir.origin + path, {
  method,
  headers: { authorization: `Bearer ${secret}`, ...(body ? { 'content-type': 'application/json' } : {}) },
  body: body && JSON.stringify(body),
});

const value = (page, id) => page.$eval(at(id), (field) => field.value);

for (const [kind, size] of [['chromium', { width: 1366, height: 768 }], ['firefox', { width: 390, height: 844 }]]) {
  scenario(`a token is made, used by a program and revoked (${kind}, ${size.width} px)`, async (world) => {
    const weir = await world.weir();
    const owner = await weir.setUp();
    const browser = await world[kind]();
    await signedIn(browser.defaultBrowserContext(), weir, owner);
    const page = await world.page(browser);
    await page.setViewport(size);
    await page.goto(`${weir.origin}/settings`);

    // What is wrong is said at its field.
    await page.waitForSelector(at('create-token'));
    await page.$eval(at('scope-read'), (box) => box.click());
    await page.$eval(at('create-token'), (button) => button.click());
    await until(page, () => document.querySelector('[data-testid="token-label"]').getAttribute('aria-invalid') === 'true', { what: 'a label is wanted' });
    await says(page, `.checks:has(${at('scope-read')})`, 'at least one');

    await fill(page, at('token-label'), 'Nightly numbers');
    await page.$eval(at('scope-read'), (box) => box.click());
    await page.select(at('token-days'), '30');
    await page.$eval(at('create-token'), (button) => button.click());
    await page.waitForSelector(at('token-secret'));
    const secret = await value(page, 'token-secret');
    assert.ok(secret.length > 30);
    assert.equal(await page.$eval(at('token-secret'), (field) => field.type), 'password', 'hidden until asked for');
    await says(page, at('tokens'), 'Nightly numbers');
    await says(page, at('tokens'), 'stops working in 30 days');

    assert.equal((await program(weir, 'GET', '/api/v1/me', secret)).status, 200);
    assert.equal((await program(weir, 'GET', '/api/v1/channels/ada/broadcasts', secret)).status, 200);
    assert.equal((await program(weir, 'PATCH', '/api/v1/channels/ada', secret, { title: 'x' })).status, 403, 'beyond its scopes');

    // Shown this once.
    await page.reload();
    await says(page, at('tokens'), 'used just now');
    assert.equal(await page.$(at('token-secret')), null);
    await page.$eval(`${at('tokens')} button`, (button) => button.click());
    await click(page, at('sure'));
    await until(page, () => document.querySelector('[data-testid="tokens"]') === null, { what: 'no token left' });
    assert.equal((await program(weir, 'GET', '/api/v1/me', secret)).status, 401, 'revoked');
  });
}

scenario('who may embed is saved, said by the header, and shown where one shares', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const ancestors = async () => {
    const policy = (await fetch(`${weir.origin}/embed/ada`)).headers.get('content-security-policy');
    return policy.match(/frame-ancestors ([^;]*)/)?.[1];
  };
  const saved = (wanted) => eventually(async () => wanted === await ancestors(), { what: `frame-ancestors ${wanted}` });
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/settings`);
  await page.waitForSelector(at('embedding-rule'), { visible: true });
  const anywhere = await ancestors();
  await page.select(at('embedding-rule'), 'nowhere');
  await saved('\'self\'');
  await page.select(at('embedding-rule'), 'sites');
  await says(page, 'main', 'No site is on the list yet');
  for (const [text, wrong] of [['example.org', true], ['https://example.org/page', true], ['javascript://x', true], ['HTTPS://Example.org/', false], ['http://localhost:3000', false]]) {
    await fill(page, '#ada-sites', text);
    await page.keyboard.press('Enter');
    if (wrong) await says(page, 'main', 'That isn\'t a site');
    else await until(page, () => document.querySelector('#ada-sites').value === '', { what: `${text} is taken` });
  }
  await saved('\'self\' http://localhost:3000 https://example.org');

  await page.goto(`${weir.origin}/ada`);
  await click(page, at('share'));
  await page.waitForSelector(at('share-frame'), { visible: true });
  await says(page, at('share-rule'), 'https://example.org');
  assert.equal(await value(page, 'share-link'), `${weir.origin}/ada`);
  // What is copied is HTML that makes what it says.
  const made = await page.evaluate(() => {
    const parsed = (id) => new DOMParser().parseFromString(document.querySelector(`[data-testid="${id}"]`).value, 'text/html').body;
    const [frame, chat] = ['share-frame', 'share-chat'].map((id) => parsed(id).querySelector('iframe'));
    const doc = new DOMParser().parseFromString(document.querySelector('[data-testid="share-script"]').value, 'text/html');
    return { frame: frame.src, allow: frame.allow, chat: chat.src, script: doc.querySelector('script').src, channel: doc.querySelector('weir-player').getAttribute('channel') };
  });
  assert.deepEqual(made, {
    frame: `${weir.origin}/embed/ada`, allow: 'autoplay; fullscreen; picture-in-picture', chat: `${weir.origin}/embed/ada/chat`,
    script: `${weir.origin}/embed.js`, channel: 'ada',
  });
  for (const path of [made.frame, made.chat, made.script]) assert.equal((await fetch(path)).status, 200, path);
  await page.keyboard.press('Escape');
  await until(page, () => document.querySelector('dialog') === null, { what: 'closed by Escape' });
  assert.ok(await page.evaluate(() => document.activeElement?.dataset.testid === 'share'), 'the focus is back');

  await page.goto(`${weir.origin}/settings`);
  await page.waitForSelector(at('embedding-rule'), { visible: true });
  await page.select(at('embedding-rule'), 'anywhere');
  await saved(anywhere);
});
