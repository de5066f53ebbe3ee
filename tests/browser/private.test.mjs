// Private channels: the door that whoever isn't let in stands before, the ways in that an owner opens, and gift codes. And emotes.
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario, until } from './harness.mjs';
import { at, click, fill, namesOf, says, signedIn, surely } from './lib/ui.mjs';

const PASSWORD = 'a rather long word';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** An owner at the settings of a channel that is private, everything unfolded. */
async function privately(world) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  await weir.api('PATCH', '/api/v1/channels/ada', { visibility: 'PRIVATE', title: 'Among ourselves' }, owner.cookie);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/settings`);
  await page.waitForSelector('details.more details.more summary');
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  return { weir, owner, browser, page };
}

/** What is in a field. */
const valueOf = (page, id) => page.$eval(at(id), (field) => field.value);

/** Somebody with an account, in a browser of their own. */
async function account(world, { weir, browser }, name) {
  const made = await weir.api('POST', '/api/v1/sign-up', { name, displayName: name, password: 'correct horse battery' });
  assert.equal(made.status, 201);
  const [key, value] = made.headers.get('set-cookie').split(';')[0].split('=');
  const context = await browser.createBrowserContext();
  await signedIn(context, weir, { cookie: { name: key, value } });
  return context;
}

scenario('a password and a link let in through the door, on a phone, too, until they are taken away', async (world) => {
  const stage = await privately(world);
  const { weir, browser, page } = stage;
  await fill(page, at('channel-password'), 'short');
  await click(page, at('set-channel-password'));
  await says(page, `${at('access')} [role="alert"]`, '10 to 256 characters');
  assert.equal(await valueOf(page, 'channel-password'), 'short', 'what was refused can be made longer');
  await fill(page, at('channel-password'), PASSWORD);
  await click(page, at('set-channel-password'));
  await page.waitForSelector(at('remove-channel-password'), { visible: true });
  await until(page, () => document.querySelector('[data-testid="channel-password"]').value === '', { what: 'it is taken' });

  const phone = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
  await phone.setViewport({ width: 390, height: 844 });
  await says(phone, at('door'), 'There is no channel here');
  assert.ok(!(await phone.evaluate(() => document.documentElement.outerHTML)).includes('Among ourselves'));
  const said = await phone.$eval(at('door'), (door) => door.innerText);
  const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
  await fill(phone, at('door-password'), 'not the word at all');
  await click(phone, at('enter'));
  await until(phone, () => document.querySelector('[data-testid="door-password"]').getAttribute('aria-invalid') === 'true', {
    what: 'it is wrong',
  });
  await fill(phone, at('door-password'), PASSWORD);
  await phone.keyboard.press('Enter');
  await says(phone, 'main', 'Among ourselves');
  await phone.reload();
  await says(phone, 'main', 'Among ourselves');

  // Where there is no channel, nothing else is said.
  const nowhere = await world.page(browser, `${weir.origin}/nobody`, { context: await browser.createBrowserContext() });
  await nowhere.setViewport({ width: 390, height: 844 });
  await nowhere.waitForSelector(at('door'));
  assert.equal(await nowhere.$eval(at('door'), (door) => door.innerText), said);

  await fill(page, at('link-label'), 'The band');
  await fill(page, at('link-uses'), '1');
  await click(page, at('make-link'));
  await page.waitForSelector(at('access-link'));
  const link = await valueOf(page, 'access-link');
  assert.ok(link.startsWith(`${weir.origin}/ada#link=weir_link_`), link);
  await says(page, at('access-links'), '0 of 1 came in');
  const guest = await world.page(browser, link, { context: await browser.createBrowserContext() });
  await says(guest, 'main', 'Among ourselves');
  assert.equal(await guest.evaluate(() => location.hash), '', 'the secret is out of the address');
  const late = await world.page(browser, link, { context: await browser.createBrowserContext() });
  await says(late, `${at('door')} [role="alert"]`, /link/i);

  // Who came by the password is out at once when there is none, and who came by the link is not.
  await click(page, at('remove-channel-password'));
  await says(page, 'dialog[open]', 'is out at once');
  await click(page, at('sure'));
  await until(page, () => document.querySelector('[data-testid="remove-channel-password"]') === null, { what: 'no password' });
  await phone.waitForSelector(at('door'), { visible: true });
  await guest.reload();
  await says(guest, 'main', 'Among ourselves');

  // A link is shown this once: revoking another one doesn't lose it, and revoking it does.
  await fill(page, at('link-label'), 'The choir');
  await click(page, at('make-link'));
  await says(page, at('access-links'), 'The choir');
  await until(page, (before) => document.querySelector('[data-testid="access-link"]').value !== before, {
    what: 'the new link', args: [link],
  });
  const second = await valueOf(page, 'access-link');
  assert.deepEqual(await namesOf(page, `${at('access-links')} button`), ['Revoke the link “The choir”', 'Revoke the link “The band”']);
  await surely(page, `${at('access-links')} [aria-label="Revoke the link “The band”"]`);
  await guest.waitForSelector(at('door'), { visible: true });
  assert.deepEqual(await namesOf(page, `${at('access-links')} button`), ['Revoke the link “The choir”']);
  assert.equal(await valueOf(page, 'access-link'), second);
  await surely(page, `${at('access-links')} button`);
  await until(page, () => document.querySelector('[data-testid="access-links"], [data-testid="access-link"]') === null, {
    what: 'no link',
  });
});

scenario('the list lets somebody in by name, and a gift code whoever subscribes', async (world) => {
  const stage = await privately(world);
  const { weir, browser, page } = stage;
  const ben = await world.page(browser, `${weir.origin}/ada`, { context: await account(world, stage, 'ben') });
  await ben.waitForSelector(at('door'), { visible: true });
  // A name that is missing is said at its field, and there no more as soon as something is typed.
  await click(page, at('admit'));
  await says(page, '#ada-admit-note', 'Say who');
  await click(page, at('grant'));
  await says(page, '#ada-supporter-account-note', 'Say who');
  await fill(page, at('admit-account'), 'nobody');
  await says(page, '#ada-admit-note', 'What they sign in with.');
  await click(page, at('admit'));
  await says(page, at('access'), 'Nobody has an account with this name');
  await fill(page, at('admit-account'), '@ben');
  await page.keyboard.press('Enter');
  await says(page, at('admitted'), '@ben');
  await ben.reload();
  await says(ben, 'main', 'Among ourselves');
  assert.deepEqual(await namesOf(page, `${at('admitted')} button`), ['Remove ben from the list of ada']);
  await surely(page, `${at('admitted')} button`);
  await until(page, () => document.querySelector('[data-testid="admitted"]') === null, { what: 'nobody is on the list' });
  await ben.waitForSelector(at('door'), { visible: true });

  await page.select(at('access-subscribers'), 'one');
  await says(page, '.toasts', 'Saved');
  await fill(page, at('gift-count'), '2');
  await click(page, at('make-codes'));
  await page.waitForSelector(at('gift-codes'));
  const codes = (await valueOf(page, 'gift-codes')).split('\n');
  assert.equal(codes.length, 2);
  await click(page, at('put-away'));
  await until(page, () => document.querySelector('[data-testid="gift-codes"]') === null, { what: 'they are out of sight' });
  // A code is redeemed where one can be: on a channel that is open. What it is for, the server knows.
  await weir.api('POST', '/api/v1/channels', { name: 'open' }, stage.owner.cookie);
  const stranger = await world.page(browser, `${weir.origin}/open`, { context: await browser.createBrowserContext() });
  await click(stranger, at('subscribe'));
  await stranger.waitForSelector(at('redeem-sign-in'), { visible: true });
  assert.equal(await stranger.$(at('gift-code')), null, 'nothing is typed that signing in would lose');
  await ben.goto(`${weir.origin}/open`);
  await click(ben, at('subscribe'));
  await fill(ben, at('gift-code'), '0000-0000-0000-0000-0000');
  await click(ben, at('redeem'));
  await until(ben, () => document.querySelector('[data-testid="gift-code"]').getAttribute('aria-invalid') === 'true', {
    what: 'it is no code',
  });
  await fill(ben, at('gift-code'), codes[0]);
  await click(ben, at('redeem'));
  await says(ben, at('subscription'), 'you subscribe to ada now');
  await ben.goto(`${weir.origin}/ada`);
  await says(ben, 'main', 'Among ourselves');
  await click(ben, at('subscribe'));
  await says(ben, at('own-subscription'), /Tier 1, 3\d days left/);
  await page.reload();
  await page.waitForSelector('details.more details.more summary');
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  await says(page, at('supporters'), '@ben · Tier 1');
  await says(page, at('gift-batches'), '1 of 2');
  await surely(page, `${at('gift-batches')} button`);
  await says(page, at('gift-batches'), '1 of 1');
  assert.deepEqual(await namesOf(page, `${at('subscribers')} button`), ["End ben's subscription to ada"]);
  await surely(page, `${at('subscribers')} button`);
  await until(page, () => document.querySelector('[data-testid="subscribers"]') === null, { what: 'nobody subscribes' });
  await ben.reload();
  await ben.waitForSelector(at('door'), { visible: true });
});

scenario('an emote is replaced and removed only by whoever means it, and a file that is gone is said to be', async (world) => {
  const { page } = await privately(world);
  const file = join(await mkdtemp(join(tmpdir(), 'weir-')), 'wave.png');
  await writeFile(file, Buffer.from(PIXEL, 'base64'));
  const upload = async (name) => {
    await fill(page, at('emote-name'), name);
    await (await page.waitForSelector(`${at('emote-file')}:enabled`)).uploadFile(file);
  };
  await upload('ada_wave');
  await says(page, at('own-emotes'), ':ada_wave:');
  await until(page, () => document.querySelector('[data-testid="emote-name"]').value === '', { what: 'the name is used' });
  await upload('ada_wave');
  await says(page, 'dialog[open]', 'Replace the emote “ada_wave”?');
  await click(page, at('keep'));
  await until(page, () => document.querySelector('dialog[open]') === null, { what: 'the question is gone' });
  assert.equal(await valueOf(page, 'emote-name'), 'ada_wave', 'it can have another name');
  assert.deepEqual(await namesOf(page, `${at('own-emotes')} button`), ['Remove the emote “ada_wave”']);
  await surely(page, `${at('own-emotes')} button`);
  await until(page, () => document.querySelector('[data-testid="own-emotes"]') === null, { what: 'no emote' });
  await page.evaluate(() => { Blob.prototype.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotReadableError')); });
  await upload('ada_wave');
  await says(page, 'main', "This file can't be read");
});
