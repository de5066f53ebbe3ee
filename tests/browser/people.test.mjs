// Signing up by an invite, following, looking for channels, roles, and running the instance, as people do it.
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario, until } from './harness.mjs';
import { at, click, fill, namesOf, says, signedIn, surely } from './lib/ui.mjs';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

scenario('an invite makes an account on a phone, which follows, searches, and gets a face', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/channels/ada', { title: 'Etudes by night', category: 'Music', tags: ['piano'] }, owner.cookie);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const desk = await world.page(browser, `${weir.origin}/admin`);
  await fill(desk, at('invite-label'), 'Ben');
  await click(desk, at('create-invite'));
  await desk.waitForSelector(at('invite-link'));
  const link = await desk.$eval(at('invite-link'), (field) => field.value);
  assert.ok(link.startsWith(`${weir.origin}/sign-up?invite=weir_inv_`), link);
  await says(desk, at('invites'), '0 of 1 used');

  const phone = await world.page(browser, link, { context: await browser.createBrowserContext() });
  await phone.setViewport({ width: 390, height: 844 });
  await phone.waitForSelector(at('sign-up'), { visible: true });
  await fill(phone, at('name'), 'ben');
  await fill(phone, at('display-name'), 'Ada');
  await fill(phone, at('password'), 'correct horse battery');
  await click(phone, at('sign-up'));
  await says(phone, 'main', 'could be taken for somebody else');
  await fill(phone, at('display-name'), 'Ben');
  await click(phone, at('sign-up'));
  await until(phone, () => location.pathname === '/', { what: 'the first page' });

  // The bar at the bottom leads everywhere.
  await phone.click('.bottom-bar a[href="/search"]');
  await fill(phone, at('search'), 'etudes');
  await says(phone, at('found'), '1 channel');
  await fill(phone, at('search'), 'nothing of the kind');
  await says(phone, 'main', 'Nothing is called that here');
  await fill(phone, at('search'), '');
  await phone.waitForSelector('.chip', { visible: true });
  await phone.click('.chip');
  await until(phone, () => document.querySelector('.chip').getAttribute('aria-pressed') === 'true', { what: 'a category is chosen' });
  await says(phone, at('found'), '1 channel');
  await click(phone, `${at('results')} a`);
  await until(phone, () => location.pathname === '/ada', { what: 'the channel' });
  await click(phone, at('follow'));
  await until(phone, () => document.querySelector('[data-testid="follow"]').getAttribute('aria-pressed') === 'true', { what: 'it is followed' });
  // The chat has the place of the bar.
  await click(phone, at('chat-hide'));
  await click(phone, '.bottom-bar a[href="/following"]');
  await says(phone, at('following'), 'Etudes by night');

  await phone.goto(`${weir.origin}/settings`);
  await phone.waitForSelector('details summary', { visible: true });
  await phone.click('details summary');
  const file = join(await mkdtemp(join(tmpdir(), 'weir-')), 'face.png');
  await writeFile(file, Buffer.from(PIXEL, 'base64'));
  await (await phone.waitForSelector(at('avatar'))).uploadFile(file);
  await until(phone, () => document.querySelector('.picture img')?.src.includes('/avatars/'), { what: 'a picture' });
  await until(phone, () => document.querySelector('.picture img').naturalWidth === 256, { what: 'the server made it' });
  await writeFile(file, '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await (await phone.$(at('avatar'))).uploadFile(file);
  await says(phone, 'main', 'A picture is a PNG, JPEG, WebP or GIF');
  await surely(phone, at('remove-avatar'));
  await until(phone, () => document.querySelector('.picture img') === null, { what: 'no picture' });
  const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);

  // A wide screen's rail shows what is followed.
  await phone.setViewport({ width: 1600, height: 1000 });
  await phone.goto(weir.origin);
  await says(phone, at('rail-following'), 'Ada');

  // And the owner sees who came.
  await desk.reload();
  await says(desk, at('people'), '@ben');
  await says(desk, at('invites'), 'over');
  await desk.waitForSelector(at('sign-up-mode'));
  await desk.select(at('sign-up-mode'), 'closed');
  await says(desk, '.toasts', 'Saved');
  const late = await world.page(browser, `${weir.origin}/sign-up`, { context: await browser.createBrowserContext() });
  await says(late, 'main', 'No accounts are made here');
});

scenario('an owner makes an editor, who edits what the channel says and not who sees it', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const made = await weir.api('POST', '/api/v1/sign-up', { name: 'ben', displayName: 'Ben', password: 'correct horse battery' });
  assert.equal(made.status, 201);
  const [name, value] = made.headers.get('set-cookie').split(';')[0].split('=');
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/settings`);
  await page.waitForSelector('details.more details.more summary');
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  await fill(page, at('role-account'), 'nobody');
  await click(page, at('give-role'));
  await says(page, 'main', 'Nobody has an account with this name');
  await fill(page, at('role-account'), '@ben');
  await page.keyboard.press('Enter');
  await says(page, at('roles'), 'Editor · @ben');

  const context = await browser.createBrowserContext();
  await signedIn(context, weir, { cookie: { name, value } });
  const editor = await world.page(browser, `${weir.origin}/settings`, { context });
  await says(editor, 'main', 'you are an editor');
  await editor.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  await fill(editor, at('title'), 'From the editor');
  await editor.keyboard.press('Tab');
  await says(editor, at('saved'), 'Saved');
  assert.equal(await editor.$(at('visibility')), null, 'who sees it is not theirs to say');
  assert.equal((await (await weir.api('GET', '/api/v1/channels/ada')).json()).title, 'From the editor');

  assert.deepEqual(await namesOf(page, `${at('roles')} button`), ['Remove ben as an editor of ada']);
  await surely(page, `${at('roles')} button`);
  await until(page, () => document.querySelector('[data-testid="roles"]') === null, { what: 'nobody has a role' });
  await editor.reload();
  await until(editor, () => !document.querySelector('main').innerText.includes('you are an editor'), { what: 'no editor any more' });
});

scenario('what takes away or gives power is asked first, and says to whom', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const open = await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  assert.equal(open.status, 200);
  for (const name of ['ben', 'cleo']) {
    assert.equal((await weir.api('POST', '/api/v1/sign-up', { name, password: 'correct horse battery', displayName: name })).status, 201);
  }
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'invite' }, owner.cookie);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/admin`);

  // The links of new invites stay until their own invite is revoked.
  const links = () => page.$$eval(at('invite-link'), (fields) => fields.map((field) => field.value));
  for (const [count, whom] of [[1, 'Dora'], [2, 'Emil'], [3, '']]) {
    await fill(page, at('invite-label'), whom);
    await click(page, at('create-invite'));
    await until(page, (wanted) => document.querySelectorAll('[data-testid="invite-link"]').length === wanted, {
      what: `${count} links`, args: [count],
    });
  }
  const [nobody, emil, dora] = await links();
  const names = await namesOf(page, `${at('invites')} button`);
  assert.deepEqual(names, ['Revoke the invite made just now', 'Revoke the invite for Emil', 'Revoke the invite for Dora']);
  const revoke = 'button[aria-label="Revoke the invite for Emil"]';
  await click(page, revoke);
  await says(page, 'dialog[open]', 'Revoke the invite for Emil?');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'keep', 'the way back has the focus');
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('dialog') === null, { what: 'the question is gone' });
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), names[1], 'and focus is back');
  assert.deepEqual(await links(), [nobody, emil, dora]);
  await surely(page, revoke);
  await until(page, () => document.querySelectorAll('[data-testid="invites"] li').length === 2, { what: 'one invite less' });
  assert.deepEqual(await links(), [nobody, dora], 'the others are still there to be copied');

  // Who may come: open is asked, and until then nothing has changed.
  const mode = () => page.$eval(at('sign-up-mode'), (list) => list.value);
  await page.select(at('sign-up-mode'), 'open');
  await says(page, 'dialog[open]', 'Let anybody make an account?');
  assert.equal(await mode(), 'invite');
  await page.keyboard.press('Escape');
  await until(page, () => document.querySelector('dialog') === null, { what: 'the question is gone' });
  assert.equal(await mode(), 'invite');
  await page.select(at('sign-up-mode'), 'open');
  await click(page, at('sure'));
  await until(page, () => document.querySelector('[data-testid="sign-up-mode"]').value === 'open', { what: 'it is open' });

  // Power over people.
  const people = await namesOf(page, `${at('people')} button`);
  assert.deepEqual(people, ['Make an admin: ben', 'Suspend ben', 'Delete ben', 'Make an admin: cleo', 'Suspend cleo', 'Delete cleo']);
  await surely(page, 'button[aria-label="Make an admin: ben"]');
  await says(page, at('people'), '@ben · admin');
  await surely(page, 'button[aria-label="Make a member: ben"]');
  await until(page, () => !document.querySelector('[data-testid="people"]').innerText.includes('· admin'), { what: 'a member again' });
  await surely(page, 'button[aria-label="Suspend cleo"]');
  await says(page, at('people'), 'suspended');
  await click(page, 'button[aria-label="Let in again: cleo"]');
  await until(page, () => !document.querySelector('[data-testid="people"]').innerText.includes('suspended'), { what: 'let in again' });

  // Logins of one browser are told apart.
  for (let count = 0; count < 2; count += 1) await weir.signIn();
  await page.goto(`${weir.origin}/settings`);
  await until(page, () => document.querySelectorAll('[data-testid="logins"] button').length === 2, { what: 'two other logins' });
  const logins = await namesOf(page, `${at('logins')} button`);
  assert.equal(new Set(logins).size, 2, logins.join());
  await surely(page, at('end-others'));
  await until(page, () => document.querySelectorAll('[data-testid="logins"] li').length === 1, { what: 'one login' });
});

scenario('a password is changed, and every other browser is out', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const other = await weir.api('POST', '/api/v1/login', { name: owner.name, password: owner.password });
  const [name, value] = other.headers.get('set-cookie').split(';')[0].split('=');
  const page = await world.page(browser, `${weir.origin}/settings`);
  await page.waitForSelector('details summary');
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  await fill(page, at('current-password'), 'wrong horse battery');
  await fill(page, at('new-password'), 'another horse battery');
  await click(page, at('change-password'));
  await says(page, 'main', 'This is not your current password');
  const typed = () => page.$$eval('[data-testid="current-password"], [data-testid="new-password"]', (fields) => fields.map((field) => field.value));
  assert.deepEqual(await typed(), ['wrong horse battery', 'another horse battery'], 'nothing has to be typed again');
  await fill(page, at('current-password'), owner.password);
  await click(page, at('change-password'));
  await says(page, '.toasts', 'The new password works');
  assert.deepEqual(await typed(), ['', '']);
  assert.equal((await weir.api('GET', '/api/v1/me', undefined, { name, value })).status, 401);
  await page.reload();
  await page.waitForSelector(at('you'), { visible: true });
});
