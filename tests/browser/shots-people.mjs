// Pictures of the pages about people, to be looked at: node shots-people.mjs FOLDER [name part …]
// 390, 1024 and 1600 px, dark and light. Not a test: it asserts nothing but that each state is reached.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { World, until } from './harness.mjs';
import { faults } from './lib/faults.mjs';
import { at, click, fill, says, signedIn } from './lib/ui.mjs';

const [folder, ...words] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node shots-people.mjs FOLDER [part of a name …]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const SIZES = [[390, 844], [1024, 768], [1600, 1000]];
const SCHEMES = ['dark', 'light'];

async function shoot(page, name, fullPage = true) {
  if (words.length && !words.some((word) => name.includes(word))) return;
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    for (const scheme of SCHEMES) {
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        // Else a picture shows colours on their way from one scheme to the other.
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ]);
      await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
      await page.screenshot({ path: join(resolve(folder), `${name}-${width}-${scheme}.png`), fullPage });
    }
  }
  await page.setViewport({ width: 1280, height: 800 });
  console.log(name);
}

const opened = (page) => page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));

const world = new World();
try {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const api = async (method, path, body, cookie = owner.cookie) => {
    const answer = await weir.api(method, `/api/v1/${path}`, body, cookie);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  await api('PATCH', 'instance/settings', { signUp: 'open' });
  await api('PATCH', 'channels/ada', { title: 'Building a river in the garden, part 3', category: 'Making things', tags: ['garden', 'water'] });
  const people = [];
  for (const [name, displayName] of [['ben', 'Ben'], ['cleo', 'Cleo from the valley of many long names'], ['dora', 'Dora']]) {
    const answer = await api('POST', 'sign-up', { name, displayName, password: 'correct horse battery' });
    const [cookie, value] = answer.headers.get('set-cookie').split(';')[0].split('=');
    people.push({ name: cookie, value });
    await api('POST', 'channels', { name, displayName }, people.at(-1));
    await api('PATCH', `channels/${name}`, { category: 'Music', tags: ['piano'], title: `An evening with ${displayName}` }, people.at(-1));
    await api('PUT', 'channels/ada/follow', undefined, people.at(-1));
    await api('PUT', `channels/${name}/follow`, undefined);
  }
  await api('PUT', 'channels/ada/roles/ben', { role: 'editor' });
  await api('PUT', 'channels/ada/roles/cleo', { role: 'vip' });
  await api('POST', 'invites', { label: 'The band', uses: 4 });
  await api('PATCH', 'people/dora', { suspended: true });
  await api('PATCH', 'people/cleo', { role: 'admin' });

  const browser = await world.chromium();
  const nobody = await world.page(browser, `${weir.origin}/sign-up?invite=weir_inv_x`, { context: await browser.createBrowserContext() });
  await nobody.waitForSelector(at('sign-up'), { visible: true });
  await shoot(nobody, 'sign-up');
  await nobody.goto(`${weir.origin}/sign-in`);
  await nobody.waitForSelector(at('password'), { visible: true });
  await shoot(nobody, 'sign-in');
  // Passkeys are for names alone.
  const site = weir.origin.replace('127.0.0.1', 'localhost');
  await nobody.goto(`${site}/sign-in`);
  await nobody.waitForSelector(at('passkey-sign-in'), { visible: true });
  await shoot(nobody, 'sign-in-passkey');
  const holder = await browser.createBrowserContext();
  await signedIn(holder, { origin: site }, owner);
  const held = await world.page(browser, `${site}/settings`, { context: holder });
  const device = await held.createCDPSession();
  await device.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  await device.send('WebAuthn.addVirtualAuthenticator', { options });
  await fill(held, at('passkey-label'), 'The old phone in the drawer under the stairs of the mill');
  await click(held, at('add-passkey'));
  await says(held, at('passkeys'), 'The old phone');
  await click(held, at('add-passkey'));
  await says(held, 'main', 'has a passkey for your account already');
  await shoot(held, 'passkeys');
  await click(held, `${at('passkeys')} button[aria-label^="Rename"]`);
  await shoot(held, 'passkeys-rename');
  await click(held, `${at('passkeys')} .actions button:last-child`);
  await click(held, `${at('passkeys')} button[aria-label^="Remove"]`);
  await held.waitForSelector('dialog[open]');
  await shoot(held, 'passkeys-question', false);
  await nobody.goto(`${weir.origin}/ada`);
  await nobody.waitForSelector(at('follow'), { visible: true });
  await shoot(nobody, 'channel-follow');

  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/admin`);
  await says(page, at('people'), '@ben');
  await click(page, at('create-invite'));
  await page.waitForSelector(at('invite-link'));
  await shoot(page, 'admin');
  await click(page, 'button[aria-label="Make an admin: ben"]');
  await page.waitForSelector('dialog[open]');
  await shoot(page, 'admin-question', false);
  await click(page, at('keep'));
  await page.goto(`${weir.origin}/following`);
  await page.waitForSelector(at('following'));
  await shoot(page, 'following');
  await page.goto(`${weir.origin}/search`);
  await fill(page, at('search'), 'evening');
  await says(page, at('found'), 'channels');
  await shoot(page, 'search');
  await fill(page, at('search'), 'nothing of the kind');
  await says(page, 'main', 'Nothing is called that');
  await shoot(page, 'search-nothing');
  await page.goto(`${weir.origin}/settings`);
  await page.waitForSelector('details summary');
  await opened(page);
  await page.waitForSelector(at('roles'));
  await shoot(page, 'settings');
  await page.goto(`${weir.origin}/notifications`);
  await says(page, at('notifications'), 'follow ada');
  await page.evaluate(() => document.querySelector('[data-testid="wishes"] > .toggle input').click());
  await page.waitForSelector(at('quiet-from'));
  await shoot(page, 'notifications');
  const editor = await browser.createBrowserContext();
  await signedIn(editor, weir, { cookie: people[0] });
  const theirs = await world.page(browser, `${weir.origin}/settings`, { context: editor });
  await says(theirs, 'main', 'you are an editor');
  await shoot(theirs, 'settings-editor');
  await page.goto(weir.origin);
  await until(page, () => document.querySelector('[data-testid="rail-following"]') !== null);
  await shoot(page, 'home-following');

  await page.setViewport({ width: 1280, height: 800 });
  const network = await faults(page);
  network.lose('GET', '/api/v1/channels');
  network.lose('GET', '/api/v1/people');
  network.lose('GET', '/api/v1/invites');
  network.lose('GET', '/api/v1/instance/settings');
  network.lose('GET', '/api/v1/me/');
  await page.goto(`${weir.origin}/search`);
  await says(page, 'main', "didn't come");
  await shoot(page, 'search-trouble');
  await page.goto(`${weir.origin}/following`);
  await says(page, 'main', "didn't come");
  await shoot(page, 'following-trouble');
  await page.goto(`${weir.origin}/admin`);
  await says(page, 'main', "The list of people didn't come");
  await shoot(page, 'admin-trouble');
  network.heal();
  network.lose('GET', '/follow');
  await page.goto(`${weir.origin}/ben`);
  await page.waitForSelector(at('follow-again'));
  await shoot(page, 'channel-follow-trouble');
  network.heal();
  await page.goto(`${weir.origin}/admin`);
  await says(page, at('people'), '@ben');
  network.lose('PATCH', '/api/v1/people');
  await click(page, 'button[aria-label="Suspend ben"]');
  await click(page, at('sure'));
  await says(page, 'dialog[open]', "can't be reached");
  await shoot(page, 'admin-question-trouble', false);
} finally {
  await world.close();
}
