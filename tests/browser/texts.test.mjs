// What strangers and streamers write, wherever a page other than the chat shows it: texts stay texts.
import assert from 'node:assert/strict';
import { scenario, until } from './harness.mjs';
import { DESKTOP } from './lib/chat.mjs';
import { cookieOf } from './lib/server.mjs';
import { at, says, signedIn } from './lib/ui.mjs';
import { PAYLOADS } from './lib/xss.mjs';

/** What no page makes by itself: it would come from a text that was read as markup. */
const strange = (page) => page.evaluate(() => {
  const never = ['EMBED', 'OBJECT', 'BASE', 'MARQUEE', 'MATH', 'FRAME', 'FRAMESET', 'APPLET', 'NOSCRIPT'];
  const bad = [...document.querySelectorAll('*')].filter((element) =>
    [...element.attributes].some(({ name }) => name.startsWith('on'))
    || (element.tagName === 'A' && element.hasAttribute('href') && !/^(https?:|\/|#)/.test(element.getAttribute('href')))
    || (['IMG', 'IFRAME', 'SCRIPT', 'SOURCE'].includes(element.tagName) && !/^(|\/.*|blob:.*)$/.test(element.getAttribute('src') ?? ''))
    || (element.tagName === 'META' && element.httpEquiv === 'refresh')
    || never.includes(element.tagName.toUpperCase()));
  return { ran: globalThis.weirRan ?? null, bad: bad.map((element) => element.outerHTML.slice(0, 120)) };
});

/** Does `act` with each of `all`, a few at once. */
async function each(all, act) {
  const left = all.entries();
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (const [n, one] of left) await act(one, n);
  }));
}

/** Asks as somebody; the answer, which may say that a text can't be: bad input is refused in words and never a fault. */
const asker = (weir, { cookie }) => async (method, path, body) => {
  const answer = await fetch(`${weir.origin}/api/v1/${path}`, {
    method,
    headers: { origin: weir.origin, 'content-type': 'application/json', cookie: `${cookie.name}=${cookie.value}` },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok || answer.status === 422, `${method} ${path} was answered ${answer.status}: ${text}`);
  return text ? JSON.parse(text) : null;
};

/** Loads a page, waits until it says `wanted`, and looks for what is strange. */
async function shows(page, url, selector, wanted) {
  await page.goto(url);
  await page.waitForSelector(selector);
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  await says(page, selector, wanted);
  assert.deepEqual(await strange(page), { ran: null, bad: [] }, url);
}

scenario('more than 300 texts that would run do not, as titles, names, labels, reasons and in lists', async (world) => {
  assert.ok(PAYLOADS.length >= 300, `${PAYLOADS.length}`);
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium({ viewport: DESKTOP });
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const ask = asker(weir, owner);
  const page = await world.page(browser, `${weir.origin}/ada`);

  // One after the other on a page that is open, as a title, a category and a tag.
  const fits = (most) => PAYLOADS.filter((text) => text.length <= most);
  await page.waitForSelector('main');
  for (const [n, text] of fits(140).entries()) {
    const short = fits(40)[n] ?? 'x';
    await ask('PATCH', 'channels/ada', { title: text, description: text, category: short, tags: fits(25).slice(0, 10) });
    if (n % 60 === 0) assert.deepEqual(await strange(page), { ran: null, bad: [] });
  }
  await ask('PATCH', 'channels/ada', { title: `${PAYLOADS[0]} the end`, category: fits(40)[0], displayName: fits(40)[1] });
  await ask('PUT', 'channels/ada/schedule', {
    timeZone: 'Europe/Paris',
    entries: fits(60).slice(0, 20).map((title, n) => ({ title, on: { weekday: 'monday' }, time: `${String(n).padStart(2, '0')}:00`, minutes: 30, category: fits(40)[n] })),
  });
  await shows(page, `${weir.origin}/ada`, 'main', 'the end');

  // As labels: as many as there can be of each.
  await each(fits(60).slice(0, 50), (label) => ask('POST', 'me/tokens', { label, scopes: ['read'] }));
  await each(fits(60).slice(50, 100), (label) => ask('POST', 'channels/ada/access-links', { label }));
  await each(fits(60).slice(100, 120), (label) => ask('POST', 'channels/ada/webhooks', { label, url: 'https://hooks.example/', kinds: ['StreamStarted'] }));
  await each(fits(60), (label) => ask('POST', 'invites', { label }));
  await each(fits(60).slice(0, 100), (label) => ask('POST', 'channels/ada/gift-codes', { label, count: 1, days: 1, tier: 'one' }));
  await ask('PATCH', 'me', { bio: PAYLOADS[0], displayName: fits(40)[2] });
  await shows(page, `${weir.origin}/settings`, 'main', fits(60)[0]);
  await shows(page, `${weir.origin}/admin`, 'main', fits(60).at(-1));

  // As reasons, which go onto the record, to moderators and to whom it was done.
  await ask('PATCH', 'instance/settings', { signUp: 'open' });
  const made = await weir.api('POST', '/api/v1/sign-up', { name: 'ben', displayName: 'Ben', password: 'correct horse battery' });
  assert.equal(made.status, 201);
  const cookie = cookieOf(made);
  const ben = await (await fetch(`${weir.origin}/api/v1/me`, { headers: { cookie: `${cookie.name}=${cookie.value}` } })).json();
  for (const text of PAYLOADS) await ask('POST', 'channels/ada/chat/silences', { person: ben.id, seconds: 600, reason: `${text} so` });
  const context = await browser.createBrowserContext();
  await signedIn(context, weir, { cookie });
  const other = await world.page(browser, `${weir.origin}/notifications`, { context });
  await shows(other, `${weir.origin}/notifications`, at('notifications'), 'weirRan');
  await shows(page, `${weir.origin}/settings/audit/ada`, at('audit'), 'weirRan');
  await shows(page, `${weir.origin}/moderation/ada`, 'main', 'weirRan');
  await shows(page, `${weir.origin}/`, 'main', fits(40)[1]);
  await until(page, () => globalThis.weirRan === undefined, { what: 'nothing ran' });
}, { timeout: 180_000 });
