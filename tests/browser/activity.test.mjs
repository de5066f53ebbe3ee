// What happened on a channel: in the studio and where moderators work, as it happens; and what is recommended on the first page.
import assert from 'node:assert/strict';
import { scenario, until } from './harness.mjs';
import { remember } from './lib/evening.mjs';
import { at, says, signedIn } from './lib/ui.mjs';

const PASSWORD = 'correct horse battery';

/** Signs somebody up; their cookie. */
async function joined(weir, name) {
  const made = await weir.api('POST', '/api/v1/sign-up', { name, displayName: `The ${name}`, password: PASSWORD });
  assert.equal(made.status, 201);
  const [cookie, value] = made.headers.get('set-cookie').split(';')[0].split('=');
  return { name: cookie, value };
}

function follow(weir, cookie, channel = 'ada') {
  return weir.api('PUT', `/api/v1/channels/${channel}/follow`, undefined, cookie);
}

scenario('who follows and subscribes shows in the studio and at the desk as it happens, many at once as one', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const studio = await world.page(browser, `${weir.origin}/studio`);
  await says(studio, at('activity'), 'Nothing yet.');
  const desk = await world.page(browser, `${weir.origin}/moderation/ada`);
  await says(desk, at('activity'), 'Nothing yet.');
  await follow(weir, await joined(weir, 'ben'));
  await says(studio, at('activity-list'), 'The ben follows');
  await says(desk, at('activity-list'), 'The ben follows');
  await weir.api('PUT', '/api/v1/channels/ada/subscribers/ben', { tier: 'two', days: 30 }, owner.cookie);
  await says(studio, at('activity-list'), 'was given tier 2 for 30 days');
  for (const name of ['cleo', 'dora', 'emil']) await follow(weir, await joined(weir, name));
  await says(studio, at('activity-list'), '3 people followed');
  // Whoever is pointed at is looked at there, and from elsewhere their name leads there.
  await until(desk, () => document.querySelectorAll('[data-testid="activity-list"] > li').length === 3, { what: 'three lines' });
  await desk.evaluate(() => [...document.querySelectorAll('[data-testid="activity"] [data-testid="look"]')].find((one) => one.innerText === 'The ben').click());
  await until(desk, () => document.querySelector('#person')?.innerText.includes('The ben'), { what: "ben's card" });
  const leads = await studio.$eval('[data-testid="activity-list"] a', (link) => link.getAttribute('href'));
  assert.match(leads, /^\/moderation\/ada\?person=/);
  await studio.select('[data-testid="activity-kind"]', 'subscription');
  await until(studio, () => document.querySelectorAll('[data-testid="activity-list"] > li').length === 1, { what: 'one kind alone' });
  await studio.setViewport({ width: 390, height: 844 });
  const overflow = await studio.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
});

scenario('the first page names what those follow who follow the same', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const grace = await joined(weir, 'grace');
  await weir.api('POST', '/api/v1/channels', { name: 'grace' }, grace);
  const reader = await joined(weir, 'reader');
  // About half of who follows what is counted, and which half only the server knows: of forty, surely enough.
  await remember(weir, [
    `INSERT INTO accounts (id, name, display_name, role, password_hash, created_at)
     WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 40)
     SELECT 'crowd' || x, 'crowd' || x, 'Crowd', 'member', '', 0 FROM n;`,
    `INSERT INTO follows (channel_id, account_id, followed_at) SELECT channels.id, accounts.id, 0
     FROM channels, accounts WHERE accounts.name LIKE 'crowd%' AND channels.name IN ('ada', 'grace');`,
  ]);
  await follow(weir, reader, 'ada');
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, { cookie: reader });
  const page = await world.page(browser, weir.origin);
  await says(page, at('recommended'), 'You may like');
  await says(page, at('recommended'), 'follow this too');
  assert.equal(await page.$$eval('[data-testid="recommended"] li', (cards) => cards.length), 1);
  const out = await world.page(browser, weir.origin, { context: await browser.createBrowserContext() });
  await out.waitForSelector('.home', { visible: true });
  assert.equal(await out.$(at('recommended')), null);
});
