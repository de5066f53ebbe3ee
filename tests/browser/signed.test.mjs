// Signed embeds: a private channel on another site's page, for whoever has one that is good.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { at, click, documentsOf, playerIs, says, signedIn } from './lib/ui.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const launch = { Chromium: ['chromium', DESKTOP], Firefox: ['firefox', PHONE] };

/** A private channel that is live, and a site that alone may show it. */
async function onAir(world) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const camera = await world.chromium({ station: 4 });
  const { streamKey } = await (await weir.api('POST', '/api/v1/channels/ada/stream-key', {}, owner.cookie)).json();
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'ada is live' });
  const site = await world.site({ weir: weir.origin, channel: 'ada' });
  const edit = { visibility: 'PRIVATE', embedding: { allow: 'sites', sites: [site.origin] } };
  assert.equal((await weir.api('PATCH', '/api/v1/channels/ada', edit, owner.cookie)).status, 200);
  return { weir, owner, site };
}

async function signed(weir, owner, seconds) {
  const made = await weir.api('POST', '/api/v1/channels/ada/embed-links', { expiresInSeconds: seconds }, owner.cookie);
  assert.equal(made.status, 201);
  return (await made.json()).token;
}

const reads = async (weir, token) => {
  const answer = await fetch(`${weir.origin}/api/v1/channels/ada`, { headers: { authorization: `Bearer ${token}` } });
  return answer.status;
};

const revoke = (weir, owner) => weir.api('DELETE', '/api/v1/channels/ada/embed-links', undefined, owner.cookie);

/** The documents of the element's frames: the player's is the first, the chat's the second. */
const inside = (page, ...which) => documentsOf(page, which.map((at) => () => eventually(async () => {
  const handle = await page.evaluateHandle((wanted) => (
    document.querySelector('weir-player')?.shadowRoot?.querySelectorAll('iframe')[wanted] ?? null), at);
  return handle.asElement();
}, { what: `frame ${at}` })));

const hears = (page, playback) => until(page, (wanted) => document.querySelector('#state').dataset.playback === wanted, {
  what: `the page hears ${playback}`, args: [playback],
});

for (const [name, [browserOf, size]] of Object.entries(launch)) {
  scenario(`${name}: a private channel plays on another site by a signed embed, until all are revoked`, async (world) => {
    const { weir, owner, site } = await onAir(world);
    const token = await signed(weir, owner, 3600);
    const page = await world.page(await world[browserOf](), undefined);
    await page.setViewport(size);
    await page.goto(`${site.origin}/signed.html?token=${token}`, { waitUntil: 'domcontentloaded' });
    const [frame, chat] = await inside(page, 0, 1);
    await playerIs(frame, 'live');
    await seesStation(frame, 4);
    await hears(page, 'playing');
    assert.equal(await frame.$eval(at('mark'), (mark) => new URL(mark.href).pathname), '/', 'not to a page that they may not see');
    await chat.waitForSelector(at('guest-name'), { visible: true });
    await chat.type(at('guest-name'), 'Gardener');
    await click(chat, at('guest-join'));
    await chat.waitForSelector(at('chat-text'), { visible: true });
    await chat.type(at('chat-text'), 'What a river!');
    await click(chat, at('chat-send'));
    await says(chat, at('chat-log'), /Gardener[\s\S]*What a river!/);

    assert.equal((await revoke(weir, owner)).status, 204);
    await playerIs(frame, 'error');
    await says(frame, '.screen', 'gives no access to this video any more');
    await hears(page, 'error');
    await says(chat, '.chat-state', 'gives no access');
    assert.equal(await chat.$(at('chat-text')), null, 'nobody writes where they may not read');

    // The page around gets another one, and gives it to the element.
    const again = await signed(weir, owner, 3600);
    await page.$eval('weir-player', (element, next) => element.setAttribute('token', next), again);
    const other = await eventually(async () => {
      const [next] = await inside(page, 0);
      return next.url().includes(again) && next;
    }, { what: 'another player' });
    await playerIs(other, 'live');
    await seesStation(other, 4);
  });

  scenario(`${name}: a signed embed that doesn't admit says why, and what to do`, async (world) => {
    const { weir, owner, site } = await onAir(world);
    const expired = await signed(weir, owner, 1);
    await eventually(async () => await reads(weir, expired) === 403, { what: 'it has expired' });
    const browser = await world[browserOf]();
    for (const [token, words] of [
      [expired, /has expired[\s\S]*Load that page again/],
      [`${expired.slice(0, -20)}${'x'.repeat(20)}`, /gives no access[\s\S]*Ask whoever runs the page/],
    ]) {
      const page = await world.page(browser, undefined);
      await page.setViewport(size);
      await page.goto(`${site.origin}/signed.html?token=${token}`, { waitUntil: 'domcontentloaded' });
      const [frame, chat] = await inside(page, 0, 1);
      await playerIs(frame, 'error');
      await says(frame, '.screen', words);
      await says(chat, '.chat-empty', token === expired ? 'has expired' : 'gives no access');
      // Whom the player may tell is known of one that was good.
      if (token === expired) await hears(page, 'error');
      assert.ok(await frame.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
      await world.closePage(page);
    }
  });
}

for (const [kind, size] of [['chromium', DESKTOP], ['firefox', PHONE]]) {
  scenario(`the owner makes signed embeds in the settings, and revokes them (${kind}, ${size.width} px)`, async (world) => {
    const weir = await world.weir();
    const owner = await weir.setUp();
    await weir.api('PATCH', '/api/v1/channels/ada', { visibility: 'PRIVATE' }, owner.cookie);
    const browser = await world[kind]();
    await signedIn(browser.defaultBrowserContext(), weir, owner);
    const page = await world.page(browser, undefined);
    await page.setViewport(size);
    await page.goto(`${weir.origin}/settings`);
    await page.waitForSelector(at('embed-time'));
    await page.select(at('embed-time'), '86400');
    await page.$eval(at('make-embed'), (button) => button.click());
    await page.waitForSelector(at('embed-html'));
    const html = await page.$eval(at('embed-html'), (field) => field.value);
    const [, token] = html.match(/^<iframe src="[^"]*\/embed\/ada\?token=(weir_emb_[\w-]+)"/);
    assert.equal(await reads(weir, token), 200);
    assert.equal(await page.$eval(at('embed-time'), (field) => field.value), '86400', 'the choice stays');

    // Asked once more before it is done; leaving it changes nothing.
    await page.$eval(at('revoke-embeds'), (button) => button.click());
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await until(page, () => !document.querySelector('dialog[open]'), { what: 'the question is gone' });
    assert.equal(await reads(weir, token), 200);
    await page.$eval(at('revoke-embeds'), (button) => button.click());
    await click(page, at('sure'));
    await says(page, at('signed-embeds'), 'none of them works any more');
    assert.equal(await reads(weir, token), 403);
    assert.equal(await page.$(at('embed-html')), null);
    await page.$eval(at('make-embed'), (button) => button.click());
    await page.waitForSelector(at('embed-html'));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(wide, `nothing sticks out at ${size.width} px`);
  });
}
