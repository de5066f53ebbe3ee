// For everybody: keyboard alone, names for screen readers, reduced motion, small screens.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { at, playerIs, signedIn } from './lib/ui.mjs';

scenario('the player is used by keyboard alone', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, screens] = await Promise.all([world.chromium({ station: 1 }), world.chromium()]);
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  const page = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(page, 'live');
  await seesStation(page, 1);
  const video = (read) => page.$eval(at('video'), (element, property) => element[property], read);
  const becomes = (property, value) => until(page, (name, wanted) => (
    document.querySelector('[data-testid="video"]')[name] === wanted
  ), { what: `video.${property} is ${value}`, args: [property, value] });

  await page.keyboard.press('k');
  await becomes('paused', true);
  await page.keyboard.press('k');
  await becomes('paused', false);
  const muted = await video('muted');
  await page.keyboard.press('m');
  await becomes('muted', !muted);
  await page.keyboard.press('m');
  await becomes('muted', muted);
  const volume = await video('volume');
  await page.keyboard.press('ArrowDown');
  await until(page, (before) => document.querySelector('[data-testid="video"]').volume < before, { what: 'quieter', args: [volume] });
  await page.keyboard.press('t');
  await until(page, () => document.querySelector('[data-testid="theatre"]').getAttribute('aria-pressed') === 'true', { what: 'theatre' });
  await page.keyboard.press('t');
  await until(page, () => document.querySelector('[data-testid="theatre"]').getAttribute('aria-pressed') === 'false', { what: 'no theatre' });
  await page.keyboard.press('f');
  await until(page, () => document.fullscreenElement !== null, { what: 'full screen' });
  await page.keyboard.press('f');
  await until(page, () => document.fullscreenElement === null, { what: 'no full screen' });
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  // While a dialog is open its keys are its own.
  await page.keyboard.press('m');
  assert.equal(await video('muted'), muted, 'M while a dialog is open');
  await page.keyboard.press('Escape');
  await until(page, () => !document.querySelector('dialog[open]'), { what: 'the dialog to close' });

  // Tab reaches every control of the player, and each shows that it has the focus.
  const reached = new Set();
  await page.focus('a.skip');
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => {
      const element = document.activeElement;
      const rings = (one) => {
        const style = getComputedStyle(one);
        return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
      };
      // A text field without a border of its own shows the focus on the box that it fills.
      const ring = rings(element) || (element.matches('textarea, input') && rings(element.parentElement));
      return { id: element.dataset.testid ?? '', ring, tag: element.tagName, name: element.getAttribute('aria-label') ?? element.innerText };
    });
    if (here.tag === 'BODY') break;
    assert.ok(here.ring, `focus can be seen on ${here.tag} “${here.name}”`);
    reached.add(here.id);
  }
  for (const id of ['play', 'mute', 'volume', 'theatre', 'full-screen', 'stats-toggle']) {
    assert.ok(reached.has(id), `Tab reaches ${id}: ${[...reached]}`);
  }
  await page.focus(at('theatre'));
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('[data-testid="theatre"]').getAttribute('aria-pressed') === 'true', { what: 'theatre by Enter' });
  // Space presses the button that has the focus, and nothing else.
  await page.keyboard.press('Space');
  await until(page, () => document.querySelector('[data-testid="theatre"]').getAttribute('aria-pressed') === 'false', { what: 'no theatre by Space' });
  assert.equal(await video('paused'), false, 'Space on a button does not pause');

  // Switched off, keys do nothing.
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  await page.$eval('dialog[open] [role="switch"], dialog[open] input[type="checkbox"]', (toggle) => toggle.click());
  await page.keyboard.press('Escape');
  await until(page, () => !document.querySelector('dialog[open]'), { what: 'the dialog to close' });
  await page.keyboard.press('k');
  await seesStation(page, 1);
  assert.equal(await video('paused'), false, 'K while keys are switched off');
});

scenario('keys never fire while typing', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, screens] = await Promise.all([world.chromium({ station: 5 }), world.chromium()]);
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  const page = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(page, 'live');
  // Any field on the page: a chat's composer will be one.
  await page.evaluate(() => {
    for (const tag of ['input', 'textarea', 'div']) {
      const field = document.createElement(tag);
      field.id = `typing-${tag}`;
      if (tag === 'div') field.contentEditable = 'true';
      document.querySelector('main').append(field);
    }
  });
  const before = await page.$eval(at('video'), (video) => video.muted);
  for (const tag of ['input', 'textarea', 'div']) {
    await page.focus(`#typing-${tag}`);
    await page.keyboard.type('kmft? k');
    const typed = await page.$eval(`#typing-${tag}`, (field) => field.value ?? field.innerText);
    assert.equal(typed.replace(/\u00a0/g, ' '), 'kmft? k', `what was typed is all there in ${tag}`);
    assert.equal(await page.$('dialog[open]'), null, `no help from ${tag}`);
    assert.equal(await page.evaluate(() => document.fullscreenElement), null);
    assert.equal(await page.$eval(at('theatre'), (button) => button.getAttribute('aria-pressed')), 'false');
  }
  assert.equal(await page.$eval(at('video'), (video) => video.muted), before);
  assert.equal(await page.$eval(at('video'), (video) => video.paused), false);
});

/** What a checker for accessibility would say first. */
const FAULTS = () => {
  const faults = [];
  const seen = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
  const name = (element) => {
    const by = element.getAttribute('aria-labelledby');
    const label = element.getAttribute('aria-label')
      ?? (by && by.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' '))
      ?? (element.labels?.length ? element.labels[0].textContent : null)
      ?? element.textContent;
    const picture = element.querySelector('svg[role="img"][aria-label], img[alt]');
    return (label ?? '').trim() || (picture?.getAttribute('aria-label') ?? picture?.getAttribute('alt'))?.trim() || element.title;
  };
  const show = (element) => element.outerHTML.slice(0, 120);
  for (const element of document.querySelectorAll('button, a[href], input, select, textarea, [role="button"], [role="switch"], [role="menuitem"]')) {
    if (element.type === 'hidden' || !seen(element)) continue;
    if (!name(element)) faults.push(`no name: ${show(element)}`);
  }
  for (const image of document.querySelectorAll('img')) if (!image.hasAttribute('alt')) faults.push(`no alt: ${show(image)}`);
  for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby], label[for]')) {
    for (const attribute of ['aria-describedby', 'aria-labelledby', 'for']) {
      for (const id of (element.getAttribute(attribute) ?? '').split(' ').filter(Boolean)) {
        if (!document.getElementById(id)) faults.push(`${attribute} points nowhere: ${show(element)}`);
      }
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (twice.length) faults.push(`ids used twice: ${twice}`);
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  if (document.querySelectorAll('h1').length !== 1) faults.push(`${document.querySelectorAll('h1').length} h1`);
  if (!document.documentElement.lang) faults.push('no language');
  if (!document.title) faults.push('no title');
  if (document.querySelectorAll('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').length) faults.push('a tab order of its own');
  if (document.documentElement.scrollWidth > innerWidth + 1) faults.push(`wider than the screen: ${document.documentElement.scrollWidth} > ${innerWidth}`);

  // Contrast of text on its nearest opaque ground; text over the picture has none to compare.
  const channel = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !seen(element) || element.closest('[data-testid="player"], .hero-picture, .channel-art, .preview, svg, [disabled], .skip, .monogram, [aria-hidden="true"]')) continue;
    const style = getComputedStyle(element);
    if (!style.color.startsWith('rgb')) continue;
    let ground = null;
    for (let at = element; at && !ground; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      const [r, g, b, a = 1] = parse(colour);
      if (colour.startsWith('rgb') && a === 1) ground = [r, g, b];
      else if (a > 0) ground = undefined;
      if (ground === undefined) break;
    }
    if (!ground) continue;
    const [one, two] = [light(parse(style.color)), light(ground)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && Number(style.fontWeight) >= 600);
    if (ratio < (large ? 3 : 4.5) - 0.01) faults.push(`contrast ${ratio.toFixed(2)}: “${walker.currentNode.textContent.trim().slice(0, 40)}” ${style.color} on ${ground}`);
  }
  return faults;
};

scenario('every page has names, structure, contrast and room, on a phone and on a desk, dark and light', async (world) => {
  const weir = await world.weir();
  const first = await world.chromium();
  let page = await world.page(first, (await weir.setUpLink()).url);
  const check = async (what) => {
    for (const [width, height] of [[390, 844], [1280, 800]]) {
      await page.setViewport({ width, height });
      for (const scheme of ['dark', 'light']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }, { name: 'prefers-reduced-motion', value: 'reduce' }]);
        await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
        assert.deepEqual(await page.evaluate(FAULTS), [], `${what}, ${width} px, ${scheme}`);
      }
    }
  };
  await page.waitForSelector(at('set-up'), { visible: true });
  await check('set-up');
  const owner = await weir.setUp();
  await page.goto(`${weir.origin}/sign-in`);
  await page.waitForSelector(at('sign-in'), { visible: true });
  await check('sign-in');
  await page.goto(weir.origin);
  await page.waitForSelector('main a[href="/ada"]', { visible: true });
  await check('home');
  await page.goto(`${weir.origin}/ada`);
  await playerIs(page, 'offline');
  await page.waitForSelector(at('channel-title'), { visible: true });
  await check('channel');
  await signedIn(first.defaultBrowserContext(), weir, owner);
  await page.goto(`${weir.origin}/studio`);
  await page.waitForSelector(at('go-live'), { visible: true });
  await check('studio');
  await page.goto(`${weir.origin}/settings`);
  await page.waitForSelector(`${at('logins')} li`, { visible: true });
  await check('settings');
  await page.evaluate(() => document.querySelectorAll('main details').forEach((part) => { part.open = true; }));
  await check('settings, all of them open');
  for (const [path, shown] of [
    ['/admin', at('invite-label')], ['/admin/audit', at('audit')], ['/settings/audit/ada', 'main h1'], ['/moderation/ada', at('queue-empty')],
    ['/notifications', at('wishes')], ['/search', at('search')], ['/following', 'main h1'], ['/analytics/ada', 'main h1'],
  ]) {
    await page.goto(weir.origin + path);
    await page.waitForSelector(shown, { visible: true });
    await until(page, () => !document.querySelector('main [class*="skeleton"]'), { what: `${path} is there` });
    await check(path);
  }
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const stranger = await first.createBrowserContext();
  page = await world.page(first, `${weir.origin}/sign-up`, { context: stranger });
  await page.waitForSelector(at('sign-up'), { visible: true });
  await check('sign-up');
}, { timeout: 150_000 });

scenario('with reduced motion nothing moves by itself', async (world) => {
  const weir = await world.weir();
  const { streamKey } = await weir.createChannel('ada');
  const [camera, screens] = await Promise.all([world.chromium({ station: 1 }), world.chromium()]);
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live' });
  const page = await world.page(screens, undefined, {
    before: (fresh) => fresh.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]),
  });
  for (const path of ['/', '/ada']) {
    await page.goto(weir.origin + path);
    await page.waitForSelector('h1', { visible: true });
    const moving = await page.evaluate(() => {
      const long = (list) => list.split(',').some((time) => (time.includes('ms') ? parseFloat(time) : parseFloat(time) * 1000) > 1);
      const running = document.getAnimations().filter((a) => a.playState === 'running' && a.effect.getComputedTiming().duration > 1);
      const styled = [...document.querySelectorAll('*')].filter((element) => {
        const style = getComputedStyle(element);
        return (style.animationName !== 'none' && long(style.animationDuration)) || (style.transitionProperty !== 'none' && long(style.transitionDuration));
      });
      return [...running.map((a) => a.animationName ?? 'transition'), ...styled.map((e) => e.outerHTML.slice(0, 80))].slice(0, 5);
    });
    assert.deepEqual(moving, [], path);
  }
});

