// The player on other people's pages: tests/site shows it, on an origin of its own, in both browsers.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { appearsUntouched, at, click, playerIs } from './lib/ui.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const launch = { Chromium: 'chromium', Firefox: 'firefox' };

/** A server on which ada is live, a site that shows her, and the wire between that site's visitors and the server. */
async function onAir(world, { embedding, host } = {}) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const camera = await world.chromium({ station: 4 });
  const { streamKey } = await (await weir.api('POST', '/api/v1/channels/ada/stream-key', {}, owner.cookie)).json();
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'ada is live' });
  const wire = await world.wire(weir);
  const site = await world.site({ weir: wire.origin, channel: 'ada', host });
  if (embedding) {
    const rules = embedding(site);
    const answer = await weir.api('PATCH', '/api/v1/channels/ada', { embedding: rules }, owner.cookie);
    assert.equal(answer.status, 200, 'the owner says who may embed');
  }
  return { weir, owner, publisher, wire, site };
}

/** The document inside an iframe, once it is there. */
async function inside(page, selector = '#player') {
  const holder = await page.waitForSelector(selector);
  return eventually(() => holder.contentFrame(), { what: `${selector} has a document` });
}

/** The first player's frame, inside the element's shadow. */
async function insideElement(page, selector = 'weir-player') {
  const holder = await eventually(async () => {
    const handle = await page.evaluateHandle((wanted) => (
      document.querySelector(wanted)?.shadowRoot?.querySelector('iframe') ?? null), selector);
    return handle.asElement();
  }, { what: `${selector} has a frame` });
  return eventually(() => holder.contentFrame(), { what: `${selector}'s frame has a document` });
}

const video = (frame, property) => frame.$eval(at('video'), (element, name) => element[name], property);
const becomes = (frame, property, value) => until(frame, (name, wanted) => (
  document.querySelector('[data-testid="video"]')[name] === wanted
), { what: `video.${property} is ${value}`, args: [property, value] });
const says = (page, wanted) => until(page, (state) => {
  const { dataset } = document.querySelector('#state');
  return Object.entries(state).every(([name, value]) => dataset[name] === value);
}, { what: `the page hears ${JSON.stringify(wanted)}`, args: [wanted] });

for (const [name, browserOf] of Object.entries(launch)) {
  scenario(`${name}: a plain iframe plays on another site, with no cookie either way`, async (world) => {
    const { wire, site, owner } = await onAir(world);
    const browser = await world[browserOf]();
    for (const size of [DESKTOP, PHONE]) {
      const page = await world.page(browser, undefined);
      await page.setViewport(size);
      await page.goto(`${site.origin}/iframe.html`, { waitUntil: 'domcontentloaded' });
      const frame = await inside(page);
      await playerIs(frame, 'live');
      await seesStation(frame, 4);
      assert.equal(await frame.evaluate(() => document.cookie), '');
      const wide = await frame.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      assert.ok(wide, `nothing sticks out at ${size.width} px`);
      const mark = await frame.$eval(at('mark'), ({ href, target, rel }) => ({ href, target, rel }));
      assert.deepEqual(mark, { href: `${wire.origin}/ada`, target: '_blank', rel: 'noopener' });
      await world.closePage(page);
    }
    assert.deepEqual(wire.cookies, []);
    // The offer waits for nothing but the code itself; nothing but the player's own is loaded.
    const asked = wire.requests.map((request) => request.replace(/\?.*/, ''));
    const before = asked.slice(0, asked.indexOf('POST /whep/ada')).filter((request) => !/ \/(assets|embed)\//.test(request));
    assert.ok(before.every((request) => request === 'GET /api/v1/events' || request === 'GET /api/v1/channels/ada/state'), `${before}`);
    const files = new Set(asked.filter((request) => / \/assets\//.test(request)));
    assert.equal(files.size, 2, `${[...files]}`);
    assert.ok(owner.cookie.value, 'somebody has a login');
  });

  scenario(`${name}: who is signed in sends no cookie from a player on a page of the same machine`, async (world) => {
    // A page on another port of the same host is of the same site to a browser: cookies would come along.
    const { weir, wire, site, owner } = await onAir(world, { host: '127.0.0.1' });
    const browser = await world[browserOf]();
    const page = await world.page(browser, `${weir.origin}/healthz`);
    await page.browserContext().setCookie({
      ...owner.cookie, domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Lax',
    });
    await page.goto(`${site.origin}/iframe.html`, { waitUntil: 'domcontentloaded' });
    const frame = await inside(page);
    await playerIs(frame, 'live');
    await seesStation(frame, 4);
    // The page itself and the socket are asked for by the browser, which puts the cookie in; what the player asks has none.
    const sent = wire.cookies.filter((line) => line.startsWith('client'));
    const asked = wire.asked(/^(GET \/embed\/ada|GET \/api\/v1\/events|GET \/assets\/)/);
    assert.ok(sent.length <= asked.length, `${sent.length} cookies with ${wire.requests.join(', ')}`);
    assert.ok(wire.asked(/^POST \/whep/).length > 0);
    assert.deepEqual(wire.cookies.filter((line) => line.startsWith('server')), []);
  });

  scenario(`${name}: a page steers the element and hears what happens`, async (world) => {
    const { wire, site } = await onAir(world, {
      embedding: ({ origin }) => ({ allow: 'sites', sites: [origin] }),
    });
    const browser = await world[browserOf]();
    for (const size of [DESKTOP, PHONE]) {
      const page = await world.page(browser, undefined);
      await page.setViewport(size);
      await page.goto(`${site.origin}/element.html`, { waitUntil: 'domcontentloaded' });
      const frame = await insideElement(page);
      await playerIs(frame, 'live');
      await seesStation(frame, 4);
      await says(page, { playback: 'playing', channel: 'ada' });
      await click(page, '#pause');
      await says(page, { playback: 'paused' });
      await becomes(frame, 'paused', true);
      await click(page, '#play');
      await says(page, { playback: 'playing' });
      await becomes(frame, 'paused', false);
      await click(page, '#mute');
      await says(page, { muted: 'true' });
      await becomes(frame, 'muted', true);
      await click(page, '#unmute');
      await says(page, { muted: 'false' });
      await becomes(frame, 'muted', false);
      await click(page, '#quiet');
      await says(page, { volume: '0.5' });
      await becomes(frame, 'volume', 0.5);
      await until(page, () => Number(document.querySelector('#state').dataset.latency) > 0, { what: 'a latency is told' });
      const box = await page.$eval('weir-player', (element) => {
        const { width, height } = element.shadowRoot.querySelector('iframe').getBoundingClientRect();
        return width / height;
      });
      assert.ok(Math.abs(box - 16 / 9) < 0.02, `16:9, not ${box}`);
      await world.closePage(page);
    }
    assert.deepEqual(wire.cookies, []);
  });

  scenario(`${name}: several players on one page, one of which waits to be pressed`, async (world) => {
    const { weir, wire, site } = await onAir(world);
    const page = await world.page(await world[browserOf](), `${site.origin}/several.html`);
    const [first, second] = [await insideElement(page, '#first'), await insideElement(page, '#second')];
    await playerIs(first, 'live');
    await seesStation(first, 4);
    assert.equal(await video(first, 'muted'), true);
    await second.waitForSelector(at('start'));
    assert.equal(wire.asked(/^POST \/whep/).length, 1, 'the one that waits has asked for nothing');
    await page.$eval('#second', (element) => element.play());
    await playerIs(second, 'live');
    await seesStation(second, 4);
    // Attributes are followed: another channel is another player.
    await weir.createChannel('bea');
    await page.$eval('#first', (element) => element.setAttribute('channel', 'bea'));
    const other = await eventually(async () => {
      const frame = await insideElement(page, '#first');
      return frame.url().includes('/embed/bea') && frame;
    }, { what: 'another channel' });
    await playerIs(other, 'offline');
  });

  scenario(`${name}: oEmbed's html plays where it is put`, async (world) => {
    const { weir, owner, wire, site } = await onAir(world);
    await weir.api('PATCH', '/api/v1/channels/ada', { title: 'A river in the garden' }, owner.cookie);
    const page = await world.page(await world[browserOf](), `${site.origin}/oembed.html`);
    const frame = await inside(page, '#player iframe');
    await playerIs(frame, 'live');
    await seesStation(frame, 4);
    assert.equal(await page.$eval('#said', (element) => element.innerText), 'by Ada');
    assert.deepEqual(wire.cookies, []);
  });

  scenario(`${name}: the chat beside the player takes a guest's message on another site`, async (world) => {
    const { wire, site } = await onAir(world);
    const page = await world.page(await world[browserOf](), `${site.origin}/chat.html`);
    const [frame, chat] = [await inside(page), await inside(page, '#chat')];
    await playerIs(frame, 'live');
    await seesStation(frame, 4);
    await chat.waitForSelector(at('guest-name'), { visible: true });
    await chat.type(at('guest-name'), 'Gardener');
    await click(chat, at('guest-join'));
    await chat.waitForSelector(at('chat-text'), { visible: true });
    await chat.type(at('chat-text'), 'What a river!');
    await chat.focus(at('chat-text'));
    await click(chat, at('chat-send'));
    await until(chat, () => /Gardener[\s\S]*What a river!/.test(document.querySelector('[data-testid="chat-log"]').innerText), {
      what: 'the message in the log',
    });
    assert.deepEqual(wire.cookies, []);
  });

  scenario(`${name}: a site that the channel doesn't admit shows nothing, and a stranger's frame steers nothing`, async (world) => {
    const { wire, site } = await onAir(world, { embedding: ({ origin }) => ({ allow: 'sites', sites: [origin] }) });
    const stranger = await world.site({ weir: wire.origin, channel: 'ada' });
    const browser = await world[browserOf]();
    const refused = await world.page(browser, `${stranger.origin}/iframe.html`);
    await eventually(() => wire.asked(/^GET \/embed\/ada/).length > 0, { what: 'the frame was asked for' });
    // The browser puts a page of its own in its place.
    await eventually(async () => {
      const frame = await inside(refused);
      const shown = await frame.evaluate(() => document.querySelector('[data-testid]') === null).catch(() => true);
      return shown && refused.heard.some((line) => /frame-ancestors|Content.Security.Policy/i.test(line));
    }, { what: 'the browser says that the frame is refused' });
    assert.equal(wire.asked(/^POST \/whep/).length, 0, 'nothing of the player ran');
    await world.closePage(refused);

    const page = await world.page(browser, `${site.origin}/stranger.html?stranger=${encodeURIComponent(stranger.origin)}`);
    const frame = await inside(page);
    // With a stranger shouting at it, and what another page's refusal left to do: a busy machine takes its time.
    await playerIs(frame, 'live', { timeout: 30_000 });
    const shouts = await inside(page, '#stranger');
    await until(shouts, () => Number(document.querySelector('#shouted').textContent) > 20, { what: 'a lot of shouting' });
    await seesStation(frame, 4);
    assert.equal(await video(frame, 'paused'), false);
    assert.equal(await video(frame, 'volume'), 1);
    assert.equal(await shouts.$eval('#heard', (element) => element.textContent), '0', 'nobody answers a stranger');
    assert.equal(wire.asked(/embedding/).length, 0, 'not even the rules are asked for');
  });
}

scenario('a page that wants sound before anybody touched anything is told why it gets none', async (world) => {
  const { site } = await onAir(world);
  const browser = await world.chromium({ autoplay: false });
  const page = await world.page(browser, `${site.origin}/element.html?unmute=1`);
  await appearsUntouched(page, '[data-event="weir-refused"][data-command="unmute"]', { timeout: 15_000 });
  const frame = await insideElement(page);
  assert.equal(await video(frame, 'muted'), true);
  assert.equal(await video(frame, 'paused'), false, 'the picture goes on');
  await click(frame, at('tap-to-hear'));
  await says(page, { muted: 'false', playback: 'playing' });
  const [refusal] = await page.$$eval('[data-event="weir-refused"]', (lines) => lines.map((line) => line.textContent));
  assert.match(refusal, /tap or key inside the player/);
});
