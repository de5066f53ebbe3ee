// What is shown beside a name and what may be typed: badges, colours, emotes of tiers and those of all channels.
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario, until } from './harness.mjs';
import { signedIn, surely } from './lib/ui.mjs';
import { DESKTOP, PHONE, Person, at, click, fill, openLine, says, shows, write } from './lib/chat.mjs';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** An instance with its owner, and a browser that is signed in as them. */
async function instance(world, viewport) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const browser = await world.chromium({ viewport });
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  return { weir, owner, browser };
}

/** Somebody with an account: their cookie, and a browser of their own that is signed in. */
async function account(weir, browser, name) {
  const made = await weir.api('POST', '/api/v1/sign-up', { name, displayName: name, password: 'correct horse battery' });
  assert.equal(made.status, 201);
  const [key, value] = made.headers.get('set-cookie').split(';')[0].split('=');
  const cookie = { name: key, value };
  const context = await browser.createBrowserContext();
  await signedIn(context, weir, { cookie });
  return { cookie, context };
}

/** A file with a picture. */
async function picture() {
  const file = join(await mkdtemp(join(tmpdir(), 'weir-')), 'picture.png');
  await writeFile(file, Buffer.from(PIXEL, 'base64'));
  return file;
}

/** A page of settings, everything unfolded. */
async function unfolded(world, browser, url, options) {
  const page = await world.page(browser, url, options);
  await page.waitForSelector('details.more summary');
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  return page;
}

/** Picks a file in a field, as soon as it can be. */
async function upload(page, field, file) {
  await (await page.waitForSelector(`${field}:enabled`)).uploadFile(file);
}

for (const [width, viewport] of [['a desk', DESKTOP], ['a phone', PHONE]]) {
  scenario(`a subscriber has the channel's badge and the colour of their choice, on ${width}`, async (world) => {
    const { weir, owner, browser } = await instance(world, viewport);
    const settings = await unfolded(world, browser, `${weir.origin}/settings`);
    await upload(settings, at('badge-1'), await picture());
    await settings.waitForSelector(at('remove-badge-1'), { visible: true });
    const ben = await account(weir, browser, 'ben');
    await weir.api('PUT', '/api/v1/channels/ada/subscribers/ben', { tier: 'one', days: 30 }, owner.cookie);
    await weir.api('PUT', '/api/v1/channels/ada/follow', undefined, ben.cookie);

    const own = await unfolded(world, browser, `${weir.origin}/settings`, { context: ben.context });
    assert.equal(await own.$eval(at('hue-auto'), (field) => field.checked), true);
    await click(own, at('hue-teal'));
    await says(own, '.toast', 'Chats show your name so from now on');
    await until(own, () => document.querySelector('[data-testid="hue-teal"]').checked, { what: 'the colour is chosen' });

    const page = await world.page(browser, `${weir.origin}/ada`);
    await page.waitForSelector(at('chat-text'), { visible: true });
    await new Person(weir, 'ada', { cookie: ben.cookie }).write('hello from ben');
    await shows(page, 'hello from ben');
    const line = `${at('chat-line')}`;
    const badge = await page.$eval(`${line} img.chat-badge`, (image) => [image.alt, image.title]);
    assert.deepEqual(badge, ['Subscriber, tier 1', 'Subscriber, tier 1']);
    await page.waitForSelector(`${line} [aria-label="Follower"]`);
    assert.match(await page.$eval(`${line} .chat-name`, (name) => name.getAttribute('style')), /--name-6/);
    await openLine(page, 'hello from ben');
    await says(page, at('chat-badges'), 'Subscriber, tier 1');
    assert.match(await page.$eval(at('chat-account'), (name) => name.getAttribute('style')), /--name-6/);
    await page.keyboard.press('Escape');

    // By a command, which completes itself; what was written before stays as it was.
    const bens = await world.page(browser, `${weir.origin}/ada`, { context: ben.context });
    await fill(bens, at('chat-text'), '/color pi');
    await bens.keyboard.press('Tab');
    await until(bens, () => document.querySelector('#chat-text').value === '/color pink ', { what: 'Tab completes the colour' });
    await bens.keyboard.press('Enter');
    await until(bens, () => document.querySelector('[data-testid="chat-said"]')?.innerText.includes('pink'), { what: 'the answer' });
    await write(bens, 'now in pink');
    await shows(page, 'now in pink');
    const styles = await page.$$eval(`${line} .chat-name`, (names) => names.map((name) => name.getAttribute('style')));
    assert.deepEqual(styles.map((style) => style.match(/--name-\d+/)[0]), ['--name-6', '--name-11']);

    // Without its picture the badge is a heart again, also beside what was written.
    await surely(settings, at('remove-badge-1'));
    await page.waitForSelector(`${line} [aria-label="Subscriber, tier 1"]`);
    assert.equal(await page.$(`${line} img.chat-badge`), null);
  });
}

scenario('an emote of a tier is locked for those below it, and one of all channels is there for everybody', async (world) => {
  const { weir, owner, browser } = await instance(world, DESKTOP);
  const file = await picture();
  const settings = await unfolded(world, browser, `${weir.origin}/settings`);
  await fill(settings, at('emote-name'), 'hype');
  await upload(settings, at('emote-file'), file);
  await settings.waitForSelector(`${at('emote-tier-hype')}:enabled`);
  await settings.select(at('emote-tier-hype'), 'two');
  await says(settings, '.toast', 'Who may type it is changed');

  const ben = await account(weir, browser, 'ben');
  const page = await world.page(browser, `${weir.origin}/ada`, { context: ben.context });
  await page.waitForSelector(at('chat-text'), { visible: true });
  // Those who run the instance add one while he is there.
  const admin = await world.page(browser, `${weir.origin}/admin`);
  await fill(admin, at('emote-name'), 'river');
  await upload(admin, at('emote-file'), file);
  await says(admin, at('own-emotes'), ':river:');

  await click(page, at('emote-picker'));
  await page.waitForSelector('[data-code=":river:"]', { visible: true });
  assert.deepEqual(await page.$$eval('.chat-emotes-title', (titles) => titles.map((title) => title.innerText)), ['Channel', 'Everywhere']);
  const locked = await page.$eval('[data-code=":hype:"]', (button) => [button.getAttribute('aria-label'), button.getAttribute('aria-disabled')]);
  assert.deepEqual(locked, ['hype: locked, opens with tier 2', 'true']);
  await page.click('[data-code=":hype:"]');
  await page.click('[data-code=":river:"]');
  await until(page, () => document.querySelector('#chat-text').value === ':river: ', { what: 'the open one alone is picked' });
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${at('chat-line')} img[alt="river"]`);
  await write(page, 'so :hype:');
  await shows(page, 'so :hype:');
  assert.equal(await page.$(`${at('chat-line')} img[alt="hype"]`), null, 'the word stays');

  // With the tier it opens.
  await weir.api('PUT', '/api/v1/channels/ada/subscribers/ben', { tier: 'two', days: 30 }, owner.cookie);
  await page.reload();
  await page.waitForSelector(at('chat-text'), { visible: true });
  await click(page, at('emote-picker'));
  await page.waitForSelector('[data-code=":hype:"]:not([aria-disabled])', { visible: true });
  await click(page, '[data-code=":hype:"]');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${at('chat-line')} img[alt="hype"]`);

  // What is taken away is gone for everybody who is there.
  await surely(admin, `${at('own-emotes')} button`);
  await click(page, at('emote-picker'));
  await until(page, () => document.querySelector('[data-code=":wave:"]') && !document.querySelector('[data-code=":river:"]'), { what: 'the emote is gone' });
});
