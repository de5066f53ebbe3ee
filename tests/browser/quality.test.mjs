// What a viewer chooses of the picture, what the server is told of it, and what a streamer learns of what arrives.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { at, click, goLive, playerIs, says, signedIn } from './lib/ui.mjs';

async function studioOf(world, browser, weir) {
  const owner = await weir.setUp();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  return world.page(browser, 'about:blank');
}

/** Takes down what a page's player tells the server to send. */
async function listensToPuts(page) {
  await page.evaluateOnNewDocument(() => {
    const real = window.fetch;
    window.told = [];
    window.fetch = (input, init) => {
      const url = String(input?.url ?? input);
      if (url.endsWith('/rendition') && (init?.method ?? input?.method) === 'PUT') {
        if (init?.body) window.told.push(JSON.parse(init.body));
        else input.clone().json().then((body) => window.told.push(body));
      }
      return real(input, init);
    };
  });
}

const told = (page, wanted, what) => until(page, (fields) => {
  const last = window.told.at(-1);
  return Boolean(last) && Object.entries(fields).every(([name, value]) => last[name] === value) && last;
}, { what, args: [wanted] });

/** Acts as a browser does that shows another tab, or this one again. */
const hide = (page, hidden) => page.evaluate((is) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => is });
  document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

/** Presses an entry of the quality menu. */
async function picks(page, entry) {
  await click(page, at('quality'));
  await until(page, () => document.querySelector('[role="menu"]') !== null, { what: 'the menu' });
  await page.evaluate((label) => {
    const all = [...document.querySelectorAll('[role="menu"] button')];
    all.find((button) => button.innerText.includes(label)).click();
  }, entry);
}

for (const kind of ['chromium', 'firefox']) {
  scenario(`${kind}: the menu has what arrives, sound alone and its way back, and what is seen of it is told`, async (world) => {
    const weir = await world.weir();
    const [camera, screens] = await Promise.all([world.chromium({ station: 5 }), world[kind]()]);
    const studio = await studioOf(world, camera, weir);
    await studio.goto(`${weir.origin}/studio`);
    await goLive(studio);
    const viewer = await world.page(screens, 'about:blank');
    await listensToPuts(viewer);
    await viewer.goto(`${weir.origin}/ada`);
    await playerIs(viewer, 'live');
    await seesStation(viewer, 5);

    const first = await told(viewer, { audioOnly: false, hidden: false }, 'the player says how large it is');
    const seen = await viewer.evaluate(() => {
      const video = document.querySelector('[data-testid="video"]');
      return { width: Math.floor(video.clientWidth * devicePixelRatio), height: Math.floor(video.clientHeight * devicePixelRatio) };
    });
    assert.deepEqual(first.size, seen);
    await viewer.setViewport({ width: 640, height: 700 });
    await until(viewer, (width) => window.told.at(-1).size.width < width, { what: 'a smaller player', args: [seen.width] });
    await hide(viewer, true);
    await told(viewer, { hidden: true }, 'nobody sees the page');
    await hide(viewer, false);
    await told(viewer, { hidden: false }, 'somebody sees it again');

    await click(viewer, at('quality'));
    await until(viewer, () => {
      const entries = [...document.querySelectorAll('[role="menuitemradio"]')].map((entry) => entry.innerText);
      return /^Auto · \d+p/.test(entries[0]) && /^Audio only( · 24 kbit\/s)?$/.test(entries.at(-1));
    }, { what: 'what there is to choose' });
    await viewer.keyboard.press('Escape');
    await picks(viewer, 'Audio only');
    await told(viewer, { audioOnly: true }, 'sound alone is wanted');
    await viewer.waitForSelector(at('show-picture'), { visible: true });
    await playerIs(viewer, 'live');
    // Remembered, and no picture is waited for.
    await viewer.reload();
    await playerIs(viewer, 'live');
    await viewer.waitForSelector(at('show-picture'), { visible: true });
    await told(viewer, { audioOnly: true }, 'sound alone is wanted again');
    // The probe listens to what has a picture; without one, the energy of what is played is the proof.
    const before = await viewer.evaluate(() => weirProbe.receiving());
    await until(viewer, (energy) => weirProbe.receiving().then((now) => now.audioEnergy > energy + 1e-6), {
      what: 'sound that is played', args: [before.audioEnergy],
    });
    await click(viewer, at('show-picture'));
    await told(viewer, { audioOnly: false }, 'the picture is wanted');
    await seesStation(viewer, 5);
    assert.equal(await viewer.$(at('show-picture')), null);
  }, { timeout: 120_000 });

  scenario(`${kind}: the studio shows what is sent beside what arrives, and says so when the microphone is silent`, async (world) => {
    const weir = await world.weir();
    const browser = await world[kind]();
    const studio = await studioOf(world, browser, weir);
    await studio.evaluateOnNewDocument(() => {
      // A microphone that says nothing until it is turned up.
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await real(wanted);
        const track = stream.getAudioTracks()[0];
        if (!track) return stream;
        track.enabled = false;
        Object.defineProperty(track, 'enabled', { configurable: true, get: () => false, set: () => {} });
        window.turnUp = () => {
          delete track.enabled;
          track.enabled = true;
        };
        return stream;
      };
    });
    await studio.goto(`${weir.origin}/studio`);
    await goLive(studio);
    const table = await says(studio, at('arrival'), /Sent\s+Arrives[\s\S]*Bitrate\s+\d[\s\S]*bit\/s[\s\S]*Renditions[\s\S]*\d+ × \d+ · \d+ fps/, { timeout: 20_000 });
    assert.match(table, /Frame rate\s+\d+ fps\s+\d+ fps/);
    const said = await says(studio, at('findings'), /silent for 1\d s/, { timeout: 30_000 });
    assert.match(said, /microphone isn’t muted/);
    const news = await says(studio, at('news'), /silent for \d+ s/);
    // Its figure grows each second, and is not read out each second.
    await until(studio, () => !/silent for 1\d s/.test(document.querySelector('[data-testid="findings"]').innerText), {
      what: 'twenty seconds of silence', timeout: 20_000,
    });
    assert.equal(await studio.$eval(at('news'), (element) => element.innerText), news);
    await studio.evaluate(() => window.turnUp());
    await until(studio, () => document.querySelector('[data-testid="findings"]') === null, { what: 'all is well', timeout: 20_000 });
    await says(studio, at('arrival'), 'All is well');
    await says(studio, at('news'), 'All is well again.');
  }, { timeout: 150_000 });
}

scenario('of another program the studio shows what arrives, and that there is no picture', async (world) => {
  const weir = await world.weir();
  const [browser, other] = await Promise.all([world.chromium(), world.chromium()]);
  const studio = await studioOf(world, browser, weir);
  await studio.goto(`${weir.origin}/studio`);
  const { cookie } = await weir.signIn();
  const { token } = await (await weir.api('POST', '/api/v1/channels/ada/publish-token', {}, cookie)).json();
  const program = await world.client(other);
  await program.evaluate(async (target) => {
    client.keepSize = async () => {};
    client.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    await client.publish(target);
  }, { url: weir.whip('ada'), key: token });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live' });
  await says(studio, at('findings'), /Sound arrives, and no picture/, { timeout: 20_000 });
  const table = await says(studio, at('arrival'), /What arrives[\s\S]*Bitrate\s+\d/);
  assert.doesNotMatch(table, /Sent/);
});
