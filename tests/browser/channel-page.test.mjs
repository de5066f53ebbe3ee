// What a channel's page shows beside what is live, as its owner makes it and as viewers see it.
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario, until } from './harness.mjs';
import { at, click, fill, says, signedIn, surely } from './lib/ui.mjs';
import { PAYLOADS } from './lib/xss.mjs';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1366, height: 900 };

/** Opens a section of a channel's settings by its name. */
async function unfold(page, name) {
  await until(page, (wanted) => {
    const summary = [...document.querySelectorAll('details.more > summary')].find((one) => one.innerText.trim() === wanted);
    if (!summary) return false;
    summary.parentElement.open = true;
    summary.scrollIntoView({ block: 'center' });
    return true;
  }, { what: `the section ${name}`, args: [name] });
}

const tooWide = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

for (const [name, size] of [['a desk', DESKTOP], ['a phone', PHONE]]) {
  scenario(`an owner gives the channel pictures, an about and a schedule, and viewers see them (${name})`, async (world) => {
    const weir = await world.weir();
    const owner = await weir.setUp();
    const browser = await world.chromium();
    await signedIn(browser.defaultBrowserContext(), weir, owner);
    const page = await world.page(browser);
    await page.setViewport(size);
    await page.goto(`${weir.origin}/settings`);

    await unfold(page, 'Pictures');
    const file = join(await mkdtemp(join(tmpdir(), 'weir-')), 'river.png');
    await writeFile(file, Buffer.from(PIXEL, 'base64'));
    await (await page.waitForSelector(at('channel-avatar'))).uploadFile(file);
    await page.waitForSelector(at('remove-channel-avatar'));
    await (await page.waitForSelector(at('channel-banner'))).uploadFile(file);
    await until(page, () => document.querySelector('img.banner')?.naturalWidth === 1500, { what: 'the server made a banner' });
    await writeFile(file, '<svg xmlns="http://www.w3.org/2000/svg"/>');
    await (await page.$(at('channel-banner'))).uploadFile(file);
    await says(page, 'main', 'A picture is a PNG, JPEG, WebP or GIF');

    // What it becomes is shown as it is written, before it is kept.
    await unfold(page, 'About, at length');
    await fill(page, at('about-text'), '# Rivers\nI build **dams**. <b>Really</b>. [More](https://example.org/more)');
    await until(page, () => document.querySelector('[data-testid="about-preview"] strong')?.innerText === 'dams', { what: 'a preview' });
    await says(page, at('about-preview'), '<b>Really</b>');
    assert.equal((await (await fetch(`${weir.origin}/api/v1/channels/ada/about`)).json()).text, '', 'nothing is kept yet');
    await click(page, at('save-about'));
    await says(page, '.toasts', 'Saved');

    await unfold(page, 'Schedule');
    await click(page, at('plan-add'));
    await click(page, at('save-plan'));
    await says(page, at('planning'), 'Give each entry a title');
    await fill(page, at('plan-title'), 'Etudes by night');
    await fill(page, at('plan-category'), 'Music');
    await page.select(at('plan-day'), 'sunday');
    await fill(page, at('plan-zone'), 'Europe/Atlantis');
    await click(page, at('save-plan'));
    await says(page, at('planning'), 'A time zone is called like');
    await fill(page, at('plan-zone'), 'UTC');
    await click(page, at('save-plan'));
    await says(page, '.toasts', 'The schedule is saved');
    const overflow = await tooWide(page);
    assert.ok(overflow <= 0, `${overflow} px too wide`);

    // Somebody else, who is somewhere else.
    const viewer = await world.page(browser, undefined, { context: await browser.createBrowserContext() });
    await viewer.emulateTimezone('Asia/Tokyo');
    await viewer.setViewport(DESKTOP);
    await viewer.goto(`${weir.origin}/ada`);
    await until(viewer, () => document.querySelector('[data-testid="banner"]')?.naturalWidth === 1500, { what: 'the banner' });
    await until(viewer, () => document.querySelector('.about > img.monogram')?.src.includes('/channel-pictures/'), { what: 'the channel\'s picture' });
    await until(viewer, () => document.querySelector('[data-testid="about"] h3')?.innerText === 'Rivers', { what: 'a heading below the page\'s' });
    const link = await viewer.$eval(`${at('about')} a`, (one) => [one.href, one.rel]);
    assert.deepEqual(link, ['https://example.org/more', 'nofollow noopener ugc']);
    // 20:00 UTC on Sunday is Monday, 5:00, there: or today, or on now, as it happens.
    await says(viewer, at('next'), /(Monday|today)( \d+ \w+,)? 5:00/);
    await says(viewer, at('schedule'), 'Etudes by night');
    await says(viewer, at('schedule'), 'Music · 2 h · each week');

    // Cards show the channel's picture.
    await viewer.goto(weir.origin);
    await until(viewer, () => document.querySelector('.channel-card img.monogram')?.src.includes('/channel-pictures/'), { what: 'the picture on a card' });

    // And on a phone nothing is wider than the screen.
    await viewer.setViewport(PHONE);
    await viewer.goto(`${weir.origin}/ada`);
    await viewer.waitForSelector('.about h1');
    const wide = await tooWide(viewer);
    assert.ok(wide <= 0, `${wide} px too wide`);

    await unfold(page, 'Pictures');
    await surely(page, at('remove-channel-banner'));
    await until(page, () => document.querySelector('img.banner') === null, { what: 'no banner' });
    await unfold(page, 'Schedule');
    await click(page, at('plan-remove'));
    await click(page, at('save-plan'));
    await viewer.setViewport(DESKTOP);
    await viewer.reload();
    await viewer.waitForSelector(at('about'));
    assert.equal(await viewer.$(at('banner')), null);
    assert.equal(await viewer.$(at('next')), null);
  });
}

scenario('nothing that is written into an about runs', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium();
  const page = await world.page(browser);
  await page.setViewport(DESKTOP);
  // What can't be kept at all (control characters) is refused before it comes to this.
  const texts = PAYLOADS.map((text) => text.replace(/[\u0000-\u001f\u202a-\u202e]/g, ' '));
  const links = ['javascript:weirRan=1', 'data:text/html,<script>weirRan=1</script>', 'https://example.org/"onmouseover="weirRan=1'];
  const all = [...texts, ...links.map((link) => `[x](${link})`), ...links.map((link) => `![x](${link})`), ...links.map((link) => `<${link}>`)];
  const parts = [];
  for (const text of all) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + text.length < 4500) parts[parts.length - 1] = `${last}\n\n${text}`;
    else parts.push(text);
  }
  for (const about of parts) {
    const kept = await weir.api('PATCH', '/api/v1/channels/ada', { about }, owner.cookie);
    assert.equal(kept.status, 200, await kept.text());
    await page.goto(`${weir.origin}/ada`);
    await page.waitForSelector(at('about'));
    // What is written would have run by now: a picture that was asked for after it has failed, and frames were drawn.
    await page.evaluate(() => new Promise((done) => {
      const canary = new Image();
      canary.onerror = () => requestAnimationFrame(() => requestAnimationFrame(done));
      canary.src = '/no/picture';
    }));
    const found = await page.evaluate(() => ({
      ran: globalThis.weirRan ?? null,
      tags: [...new Set([...document.querySelectorAll('[data-testid="about"] *')].map((one) => one.localName))]
        .filter((tag) => !['h3', 'h4', 'h5', 'p', 'a', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code', 'strong', 'em', 's', 'hr'].includes(tag)),
      attributes: [...new Set([...document.querySelectorAll('[data-testid="about"] *')].flatMap((one) => one.getAttributeNames()))]
        .filter((attribute) => !['href', 'rel', 'target', 'class', 'start'].includes(attribute)),
      links: [...document.querySelectorAll('[data-testid="about"] a')].map((one) => one.protocol)
        .filter((protocol) => !['http:', 'https:', 'mailto:'].includes(protocol)),
    }));
    assert.deepEqual(found, { ran: null, tags: [], attributes: [], links: [] }, about);
  }
});
