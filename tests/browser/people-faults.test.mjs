// What the pages about people say when something doesn't come or isn't done: words, a way on, and nothing that isn't so.
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario, until } from './harness.mjs';
import { faults } from './lib/faults.mjs';
import { at, click, fill, says, signedIn } from './lib/ui.mjs';

const AWAY = "The server can't be reached. Check your connection";

async function peopled(world) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const made = await weir.api('POST', '/api/v1/sign-up', { name: 'ben', displayName: 'Ben', password: 'correct horse battery' });
  const [name, value] = made.headers.get('set-cookie').split(';')[0].split('=');
  return { weir, owner, ben: { cookie: { name, value } } };
}

scenario('what an admin asks for and isn\'t done is said, and the page shows what still holds', async (world) => {
  const { weir, owner } = await peopled(world);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser);
  const network = await faults(page);
  network.lose('GET', '/api/v1/people');
  network.lose('GET', '/api/v1/invites');
  network.lose('GET', '/api/v1/instance/settings');
  await page.goto(`${weir.origin}/admin`);
  for (const what of ['The list of people', 'The list of invites', 'The sign-up setting']) {
    await says(page, 'main', `${what} didn't come. ${AWAY}`);
  }
  assert.equal(await page.$(at('sign-up-mode')), null, 'nothing is said of who may, before it is known');
  network.heal();
  await click(page, 'button[aria-label="Try again to load the list of people"]');
  await says(page, at('people'), '@ben');
  // The others come by themselves.
  await page.waitForSelector(at('sign-up-mode'), { visible: true });
  await until(page, () => document.querySelector('[data-testid="again"]') === null, { what: 'no trouble any more' });

  network.lose('PATCH', '/api/v1/');
  await page.select(at('sign-up-mode'), 'closed');
  await says(page, 'main', AWAY);
  assert.equal(await page.$eval(at('sign-up-mode'), (list) => list.value), 'open', 'as it still is');
  await click(page, 'button[aria-label="Make an admin: ben"]');
  await click(page, at('sure'));
  await says(page, 'dialog[open]', `${AWAY}, then try again.`);
  network.heal();
  await click(page, at('sure'));
  await says(page, at('people'), '@ben · admin');
  assert.equal(await page.$('dialog'), null);
});

scenario('searching and following say what didn\'t come, and never that there is nothing', async (world) => {
  const { weir, owner, ben } = await peopled(world);
  await weir.api('PATCH', '/api/v1/channels/ada', { title: 'Etudes by night' }, owner.cookie);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, ben);
  const page = await world.page(browser);
  const network = await faults(page);
  network.lose('GET', '/api/v1/channels');
  await page.goto(`${weir.origin}/search`);
  await says(page, 'main', "The channels didn't come.");
  await says(page, 'main', AWAY);
  assert.ok(!(await page.$eval('main', (main) => main.innerText)).includes('Nothing is called that'));
  network.heal();
  await click(page, at('again'));
  await says(page, at('results'), 'Etudes by night');

  network.lose('GET', '/api/v1/me/following');
  await page.goto(`${weir.origin}/following`);
  await says(page, 'main', "What you follow didn't come.");
  assert.ok(!(await page.$eval('main', (main) => main.innerText)).includes('You follow nobody'));
  network.heal();
  await click(page, at('again'));
  await says(page, 'main', 'You follow nobody yet.');

  network.lose('GET', '/follow');
  await page.goto(`${weir.origin}/ada`);
  await says(page, '.about-actions', "Whether you follow isn't known yet.");
  assert.equal(await page.$(at('follow')), null);
  network.heal();
  await click(page, at('follow-again'));
  await page.waitForSelector(at('follow'), { visible: true });
  network.lose('PUT', '/follow');
  await click(page, at('follow'));
  await says(page, '.toasts', `${AWAY}, then try again.`);
  const pressed = () => page.$eval(at('follow'), (button) => button.getAttribute('aria-pressed'));
  assert.equal(await pressed(), 'false');
  network.heal();
  await page.focus(at('follow'));
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('[data-testid="follow"]').getAttribute('aria-pressed') === 'true', { what: 'it is followed' });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'follow', 'the focus stays');
});

scenario('what isn\'t saved of oneself is said, and stays in its fields', async (world) => {
  const { weir, ben } = await peopled(world);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, ben);
  const page = await world.page(browser);
  const network = await faults(page);
  network.lose('GET', '/api/v1/me/logins');
  network.lose('GET', '/api/v1/me/tokens');
  await page.goto(`${weir.origin}/settings`);
  await says(page, 'main', "The list of logins didn't come.");
  await says(page, 'main', "The list of tokens didn't come.");
  network.heal();
  await click(page, 'button[aria-label="Try again to load the list of tokens"]');
  await says(page, at('logins'), 'This browser');
  await until(page, () => document.querySelector('[data-testid="again"]') === null, { what: 'no trouble any more' });
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));

  network.lose('PUT', '/api/v1/me/password');
  await fill(page, at('current-password'), 'correct horse battery');
  await fill(page, at('new-password'), 'another horse battery');
  await click(page, at('change-password'));
  await says(page, 'main', `${AWAY}, then try again.`);
  const typed = await page.$$eval('[data-testid="current-password"], [data-testid="new-password"]', (fields) => fields.map((field) => field.value));
  assert.deepEqual(typed, ['correct horse battery', 'another horse battery']);

  await fill(page, at('me-name'), '');
  await click(page, at('save-me'));
  await until(page, () => document.querySelector('[data-testid="me-name"]').getAttribute('aria-invalid') === 'true', { what: 'the field that is wrong' });

  // A file that went away after it was picked.
  const file = join(await mkdtemp(join(tmpdir(), 'weir-')), 'face.png');
  await writeFile(file, 'anything');
  await page.evaluate(() => { Blob.prototype.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotReadableError')); });
  await (await page.$(at('avatar'))).uploadFile(file);
  await says(page, 'main', "This file can't be read");
  assert.equal(await page.$eval(at('avatar'), (field) => field.disabled), false, 'another one can be picked');
});
