// Chat as people use it, in both browsers, on a phone and on a desk.
import assert from 'node:assert/strict';
import { eventually, scenario, until } from './harness.mjs';
import { documentsOf, goLive, signedIn } from './lib/ui.mjs';
import { DESKTOP, PHONE, Person, at, becomeGuest, click, fill, hides, lines, openLine, says, shows, write } from './lib/chat.mjs';

const BROWSERS = [['Chromium', 'chromium', DESKTOP], ['Firefox', 'firefox', PHONE]];

/** A channel, and a page that shows its chat in a browser of this kind. */
async function room(world, kind, viewport, { path = '/ada', as } = {}) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world[kind]({ viewport });
  if (as === 'owner') await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, weir.origin + path);
  await page.waitForSelector(at('chat'), { visible: true });
  return { weir, owner: new Person(weir, 'ada', { cookie: owner.cookie }), cookie: owner.cookie, browser, page };
}

for (const [name, kind, viewport] of BROWSERS) {
  scenario(`${name}: two people write to each other, one of them without an account`, async (world) => {
    const { weir, cookie, browser, page } = await room(world, kind, viewport);
    await becomeGuest(page, 'Ben');
    await write(page, 'hello from Ben');
    await shows(page, 'hello from Ben');
    const other = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
    await shows(other, 'hello from Ben');
    await becomeGuest(other, 'Zoë');
    await write(other, 'hello Ben');
    await shows(page, 'hello Ben');
    // A name is remembered, and so is what was said.
    await page.reload();
    await shows(page, 'hello Ben');
    await page.waitForSelector(at('chat-text'), { visible: true });
    // The owner is told apart.
    await new Person(weir, 'ada', { cookie }).write('hello both');
    await shows(page, 'hello both');
    await page.waitForSelector('[aria-label="Owner"]');
    assert.deepEqual(await lines(page), ['hello from Ben', 'hello Ben', 'hello both']);
    assert.deepEqual(await lines(other), await lines(page));
  });

  scenario(`${name}: emotes by Tab and from the picker, a name by Tab, a reply that leads back`, async (world) => {
    const { owner, page } = await room(world, kind, viewport);
    await becomeGuest(page, 'Ben');
    await owner.write('who is there?');
    await shows(page, 'who is there?');
    await fill(page, at('chat-text'), 'me :wa');
    await page.keyboard.press('Tab');
    await until(page, () => document.querySelector('#chat-text').value === 'me :wave: ', { what: 'Tab completes' });
    await page.keyboard.type('@a');
    await page.keyboard.press('Tab');
    await until(page, () => document.querySelector('#chat-text').value === 'me :wave: @ada ', { what: 'Tab completes a name' });
    // Several that fit take turns.
    await page.keyboard.type(':h');
    await page.keyboard.press('Tab');
    await page.waitForSelector(at('chat-matches'), { visible: true });
    const first = await page.$eval('#chat-text', (field) => field.value);
    await page.keyboard.press('Tab');
    await until(page, (before) => document.querySelector('#chat-text').value !== before, { what: 'the next one', args: [first] });
    await page.keyboard.press('Enter');
    await until(page, () => document.querySelectorAll('[data-testid="chat-line"] img').length === 2, { what: 'two emotes' });
    const image = await page.$eval('[data-testid="chat-line"] img', (one) => [one.alt, one.clientWidth, one.clientHeight]);
    assert.deepEqual(image, ['wave', 28, 28]);

    await click(page, at('emote-picker'));
    await page.waitForSelector(at('emote-search'), { visible: true });
    await page.keyboard.type('fire');
    await until(page, () => document.querySelectorAll('[data-code]').length === 1, { what: 'the search finds one' });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await until(page, () => document.activeElement?.id === 'chat-text' && document.activeElement.value === ':fire: ', {
      what: 'the emote is in the field, which has the focus',
    });
    await click(page, at('emote-picker'));
    await page.waitForSelector(at('emote-search'), { visible: true });
    await page.keyboard.press('Escape');
    await until(page, () => !document.querySelector('[data-testid="emote-search"]') && document.activeElement?.dataset.testid === 'emote-picker', {
      what: 'Escape closes it and gives the focus back',
    });

    await openLine(page, 'who is there?');
    await click(page, at('chat-reply-to'));
    await says(page, at('chat-answering'), 'Answering Ada: who is there?');
    await until(page, () => document.activeElement?.id === 'chat-text', { what: 'the field has the focus' });
    await page.keyboard.press('Enter');
    await says(page, at('chat-reply'), 'Ada: who is there?');
    await click(page, at('chat-reply'));
    await until(page, () => document.activeElement?.textContent.includes('who is there?')
      && document.activeElement.dataset.testid === 'chat-line', { what: 'the answered message has the focus' });
  });

  scenario(`${name}: what is deleted vanishes for all; who is timed out sees for how long`, async (world) => {
    const { weir, browser, page } = await room(world, kind, viewport, { as: 'owner' });
    await page.waitForSelector(at('chat-text'), { visible: true });
    const ben = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
    await becomeGuest(ben, 'Ben');
    await write(ben, 'something rude');
    await write(ben, 'something else');
    await shows(page, 'something else');
    await openLine(page, 'something rude');
    await click(page, at('chat-delete'));
    await hides(page, 'something rude');
    await hides(ben, 'something rude');
    await openLine(page, 'something else');
    await click(page, at('time-out-60'));
    await hides(page, 'something else');
    await hides(ben, 'something else');
    await says(ben, at('chat-state'), /You were timed out\. You can write again in (1 min|\d+ s)\./);
    const before = await ben.$eval(at('chat-state'), (line) => line.innerText);
    await until(ben, (was) => document.querySelector('[data-testid="chat-state"]').innerText !== was, { what: 'it counts down', args: [before] });
    await says(page, at('chat-log'), /Ben was timed out for 1 min\./);
    await fill(ben, at('chat-text'), 'let me in');
    await ben.keyboard.press('Enter');
    assert.equal(await ben.$eval(at('chat-text'), (field) => field.value), 'let me in');
    // The owner can take it back.
    await click(page, at('chat-settings'));
    await click(page, `${at('silences')} button`);
    await until(ben, () => document.querySelector('[data-testid="chat-state"]').innerText === '', { what: 'the time-out is over' });
    await ben.focus(at('chat-text'));
    await ben.keyboard.press('Enter');
    await shows(page, 'let me in');
  });

  scenario(`${name}: who writes too fast keeps the text and sees how long to wait`, async (world) => {
    const { page } = await room(world, kind, viewport);
    await becomeGuest(page, 'Ben');
    for (let i = 0; i < 12; i += 1) {
      await fill(page, at('chat-text'), `fast ${i}`);
      await page.keyboard.press('Enter');
      if (/You can write again/.test(await page.$eval(at('chat-state'), (line) => line.innerText))) break;
    }
    await says(page, at('chat-state'), /You can write again in \d+ s\./);
    const kept = await page.$eval(at('chat-text'), (field) => field.value);
    assert.match(kept, /^fast \d+$/);
    await until(page, () => document.querySelector('[data-testid="chat-state"]').innerText === '', { what: 'the wait is over' });
    await page.focus(at('chat-text'));
    await page.keyboard.press('Enter');
    await shows(page, kept);
  });

  scenario(`${name}: nothing is lost and nothing comes twice over a crash of the server`, async (world) => {
    const { weir, owner, page } = await room(world, kind, viewport);
    await becomeGuest(page, 'Ben');
    for (let i = 0; i < 5; i += 1) await owner.write(`before ${i}`);
    await shows(page, 'before 4');
    await weir.crash();
    await says(page, at('chat-state'), 'Lost the server.', { timeout: 15_000 });
    // What is written meanwhile waits, in its order.
    await write(page, 'while away 0');
    await write(page, 'while away 1');
    await until(page, () => document.querySelectorAll('[data-testid="chat-pending"]').length === 2, { what: 'both wait' });
    await weir.start();
    await owner.write('after');
    await shows(page, 'while away 1', { timeout: 20_000 });
    await shows(page, 'after');
    await until(page, () => !document.querySelector('[data-testid="chat-pending"]'), { what: 'nothing waits' });
    const all = await lines(page);
    const wanted = ['before 0', 'before 1', 'before 2', 'before 3', 'before 4'];
    assert.deepEqual(all.slice(0, 5), wanted);
    assert.deepEqual(all.slice(5).sort(), ['after', 'while away 0', 'while away 1']);
    assert.ok(all.indexOf('while away 0') < all.indexOf('while away 1'), all.join(' | '));
    assert.equal(await page.$(at('chat-note')), null, 'nothing is said to be missing');
    // The room has exactly the same.
    const { items } = await (await weir.api('GET', '/api/v1/channels/ada/chat/messages')).json();
    assert.equal(items.length, 8);
  });

  scenario(`${name}: text that means harm is text`, async (world) => {
    const { owner, page } = await room(world, kind, viewport);
    const dialogs = [];
    page.on('dialog', (dialog) => { dialogs.push(dialog.message()); dialog.dismiss(); });
    const texts = [
      '<img src=x onerror="alert(1)"><script>alert(2)</script>',
      '<b>bold</b> &lt;i&gt; {{7*7}} ${7*7} javascript:alert(3)',
      'https://example.org/"onmouseover="alert(4)',
      `zalgo ${'e\u0301\u0302\u0303\u0304\u0305'.repeat(40)} end`,
      'a'.repeat(400),
      'left \u202E right \u2066 again \u2067 and on',
      'مرحبا https://example.org/?a=b يا أصدقاء',
    ];
    for (const text of texts) await owner.write(text);
    await owner.write('the last one');
    await shows(page, 'the last one');
    const seen = await page.evaluate(() => ({
      elements: [...document.querySelectorAll('.chat-text *')].map((one) => one.tagName),
      wide: [...document.querySelectorAll('.chat-line')].filter((line) => line.scrollWidth > line.clientWidth + 1).length,
      page: document.documentElement.scrollWidth > window.innerWidth,
      links: [...document.querySelectorAll('.chat-text a')].map((link) => [link.protocol, link.rel, link.target]),
    }));
    assert.ok(seen.elements.every((tag) => ['A', 'BDI'].includes(tag)), seen.elements.join());
    assert.equal(seen.wide, 0, 'every line keeps to its width');
    assert.equal(seen.page, false, 'the page keeps to its width');
    for (const link of seen.links) assert.deepEqual(link, ['https:', 'noopener noreferrer nofollow ugc', '_blank']);
    assert.deepEqual(dialogs, []);
  });

  scenario(`${name}: reading further up stands still, and a button leads to what is new`, async (world) => {
    const { owner, page } = await room(world, kind, viewport);
    for (let i = 0; i < 60; i += 1) await owner.write(`old ${i}`);
    await shows(page, 'old 59');
    await page.$eval(at('chat-log'), (log) => { log.scrollTop = -300; });
    await page.waitForSelector(at('chat-newer'), { visible: true });
    const top = () => page.$eval(at('chat-log'), (log) => {
      const box = log.getBoundingClientRect();
      const line = document.elementFromPoint(box.left + box.width / 2, box.top + 20)?.closest('[data-testid="chat-line"]');
      return [line?.textContent, Math.round(line?.getBoundingClientRect().top)];
    });
    const before = await top();
    for (let i = 0; i < 3; i += 1) await owner.write(`new ${i}`);
    await says(page, at('chat-newer'), '3 new messages');
    assert.deepEqual(await top(), before, 'what is read does not move');
    await click(page, at('chat-newer'));
    await shows(page, 'new 2');
    await until(page, () => Math.abs(document.querySelector('[data-testid="chat-log"]').scrollTop) < 2
      && !document.querySelector('[data-testid="chat-newer"]'), { what: 'at the end' });
  });
}

for (const [name, kind, viewport] of [['Chromium on a phone', 'chromium', PHONE], ['Firefox on a desk', 'firefox', DESKTOP]]) {
  scenario(`${name}: a line is written, answered and hidden again`, async (world) => {
    const { owner, page } = await room(world, kind, viewport);
    await becomeGuest(page, 'Ben');
    await write(page, 'from here');
    await shows(page, 'from here');
    const { id } = await owner.write('an answer :heart:');
    await shows(page, 'an answer');
    await owner.delete(id);
    await hides(page, 'an answer');
    const fits = await page.evaluate(() => {
      const foot = document.querySelector('[data-testid="chat-text"]').getBoundingClientRect();
      const player = document.querySelector('[data-testid="player"]').getBoundingClientRect();
      return { bottom: foot.bottom <= innerHeight, right: foot.right <= innerWidth, over: player.top >= 0 && player.bottom <= innerHeight };
    });
    assert.deepEqual(fits, { bottom: true, right: true, over: true });
  });
}

scenario('news are read out, and neither history nor what comes while somebody reads further up', async (world) => {
  const weir = await world.weir();
  const owner = new Person(weir, 'ada', { cookie: (await weir.setUp()).cookie });
  for (let i = 0; i < 40; i += 1) await owner.write(`history ${i}`);
  const browser = await world.chromium({ viewport: DESKTOP });
  // What the log says of itself at the moment each line is put into it.
  const page = await world.page(browser, `${weir.origin}/ada`, { before: (one) => one.evaluateOnNewDocument(() => {
    globalThis.weirRead = {};
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) {
          for (const line of node.querySelectorAll?.('.chat-text') ?? []) {
            weirRead[line.textContent] = line.closest('[role="log"]').getAttribute('aria-live');
          }
        }
      }
    }).observe(document, { childList: true, subtree: true });
  }) });
  await shows(page, 'history 39');
  await until(page, () => document.querySelector('[role="log"]').getAttribute('aria-live') === 'polite', { what: 'news are read out' });
  await owner.write('news');
  await shows(page, 'news');
  await page.$eval(at('chat-log'), (log) => { log.scrollTop = -300; });
  await page.waitForSelector(at('chat-newer'), { visible: true });
  assert.equal(await page.$eval('[role="log"]', (log) => log.getAttribute('aria-live')), 'off');
  await click(page, at('chat-newer'));
  await click(page, at('chat-settings'));
  await click(page, '.chat-sheet .toggle');
  await until(page, () => document.querySelector('[role="log"]').getAttribute('aria-live') === 'off', { what: 'switched off' });
  const read = await page.evaluate(() => weirRead);
  assert.deepEqual([read['history 0'], read['history 39'], read.news], ['off', 'off', 'polite']);
  // The keyboard goes from line to line, and the line under it has its time and its buttons.
  await page.keyboard.press('Escape');
  await page.focus(at('chat-log'));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await until(page, () => document.activeElement.textContent.includes('history 39')
    && /\d:\d\d/.test(document.activeElement.querySelector('time')?.textContent), { what: 'the line before the last' });
});

scenario('what a keyboard covers is not part of the chat', async (world) => {
  const { page } = await room(world, 'chromium', PHONE);
  await becomeGuest(page, 'Ben');
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, 'height', { configurable: true, get: () => 480 });
    visualViewport.dispatchEvent(new Event('resize'));
  });
  await until(page, () => document.querySelector('.chat-foot').getBoundingClientRect().bottom <= 480, { what: 'the field is above the keyboard' });
  const player = await page.$eval(at('player'), (one) => one.getBoundingClientRect().top);
  assert.equal(player, 0, 'the picture stays on top');
  await page.evaluate(() => {
    delete visualViewport.height;
    visualViewport.dispatchEvent(new Event('resize'));
  });
  await until(page, () => document.querySelector('.chat-foot').getBoundingClientRect().bottom > 800, { what: 'all of it again' });
});

scenario('the studio has the chat beside it while it is live', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const camera = await world.chromium({ station: 1 });
  await signedIn(camera.defaultBrowserContext(), weir, owner);
  const studio = await world.page(camera, `${weir.origin}/studio`);
  await goLive(studio);
  const ben = await Person.guest(weir, 'ada', 'Ben');
  await ben.write('can you hear us?');
  await shows(studio, 'can you hear us?');
  await write(studio, 'loud and clear');
  await eventually(async () => {
    const { items } = await (await weir.api('GET', '/api/v1/channels/ada/chat/messages')).json();
    return items[0].author.badges.includes('owner');
  }, { what: 'the owner answered' });
});

scenario('the owner sets the rules, and everybody hears of them', async (world) => {
  const { weir, browser, page } = await room(world, 'chromium', DESKTOP, { as: 'owner' });
  const ben = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
  await becomeGuest(ben, 'Ben');
  await write(ben, 'hi');
  await shows(page, 'hi');
  await click(page, at('chat-settings'));
  await page.select(at('chat-slow'), '10');
  await says(ben, at('chat-log'), 'Slow mode is on: one message every 10 s.');
  await write(ben, 'slowly');
  await says(ben, at('chat-state'), /You can write again in \d+ s\./);
  await click(page, '.chat-sheet .toggle:nth-of-type(2)');
  await says(ben, at('chat-no-guests'), 'Only people with an account write here.');
  await says(page, at('chat-log'), 'Only people with an account can write now.');
  assert.equal(await page.$eval(at('overlay-address'), (field) => field.value), `${weir.origin}/embed/ada/chat?overlay`);
  await fill(page, at('moderator-name'), 'nobody-at-all');
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('.chat-people [role="alert"]'), { what: 'no such account' });
});

scenario('a removal that fails is taken back, and says why', async (world) => {
  const { owner, page } = await room(world, 'chromium', DESKTOP, { as: 'owner' });
  await owner.write('stays after all');
  await shows(page, 'stays after all');
  await page.setRequestInterception(true);
  page.on('request', (request) => (request.method() === 'DELETE' ? request.abort() : request.continue()));
  await openLine(page, 'stays after all');
  await click(page, at('chat-delete'));
  await says(page, '.toast', 'The server can\'t be reached.');
  await shows(page, 'stays after all');
});

for (const [name, kind] of BROWSERS) {
  scenario(`${name}: the chat in a frame on another site, without cookies`, async (world) => {
    const weir = await world.weir();
    const owner = await weir.setUp();
    const site = await world.site({ weir: weir.origin, channel: 'ada' });
    const browser = await world[kind]();
    await signedIn(browser.defaultBrowserContext(), weir, owner);
    const page = await world.page(browser, `${site.origin}/chat.html`);
    const [frame] = await documentsOf(page, [() => page.waitForSelector('#chat')]);
    await frame.waitForSelector(at('guest-name'), { visible: true });
    await frame.focus(at('guest-name'));
    await page.keyboard.type('Ben');
    await page.keyboard.press('Enter');
    await frame.waitForSelector(at('chat-text'), { visible: true });
    await frame.focus(at('chat-text'));
    await page.keyboard.type('hello from outside');
    await page.keyboard.press('Enter');
    await shows(frame, 'hello from outside');
    const { items } = await (await weir.api('GET', '/api/v1/channels/ada/chat/messages')).json();
    assert.deepEqual([items.length, items[0].author.badges], [1, ['guest']]);
    assert.equal(await frame.$('.header'), null, 'nothing around it');
  });

  scenario(`${name}: over a picture there are letters alone, which go`, async (world) => {
    const weir = await world.weir();
    const owner = new Person(weir, 'ada', { cookie: (await weir.setUp()).cookie });
    const browser = await world[kind]();
    const page = await world.page(browser, `${weir.origin}/embed/ada/chat?overlay&fade=2&size=40`);
    await page.waitForSelector(at('chat-log'));
    await owner.write('over the picture :wave:');
    await shows(page, 'over the picture');
    const look = await page.evaluate(() => ({
      grounds: [document.documentElement, document.body, document.querySelector('.overlay')]
        .map((one) => getComputedStyle(one).backgroundColor),
      size: getComputedStyle(document.querySelector('.chat-text')).fontSize,
      fields: document.querySelectorAll('button, input, textarea, a, .header').length,
    }));
    assert.deepEqual(look, { grounds: Array(3).fill('rgba(0, 0, 0, 0)'), size: '40px', fields: 0 });
    await hides(page, 'over the picture');
  });
}

scenario('a hundred messages a second keep order and a bounded page', async (world, t) => {
  const { owner, page } = await room(world, 'chromium', DESKTOP);
  await page.evaluate(() => {
    const frames = [];
    const seen = [];
    let last = performance.now();
    let most = 0;
    let nodes = 0;
    const step = (now) => {
      frames.push(now - last);
      last = now;
      const rows = document.querySelectorAll('[data-testid="chat-line"]');
      most = Math.max(most, rows.length);
      nodes = Math.max(nodes, document.querySelector('[data-testid="chat"]').getElementsByTagName('*').length);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
    const known = new Set();
    new MutationObserver(() => {
      for (const line of document.querySelectorAll('[data-testid="chat-line"]')) {
        if (known.has(line.dataset.id)) continue;
        known.add(line.dataset.id);
        seen.push(line.querySelector('.chat-text').textContent);
      }
    }).observe(document.querySelector('[data-testid="chat-log"]'), { childList: true, subtree: true });
    globalThis.weirFlood = { frames, seen, most: () => most, nodes: () => nodes };
  });
  const SECONDS = 10;
  const total = SECONDS * 100;
  const sending = [];
  const began = performance.now();
  for (let i = 0; i < total; i += 1) {
    const due = began + i * 10 - performance.now();
    if (due > 0) await new Promise((resolve) => { setTimeout(resolve, due); });
    sending.push(owner.write(`flood ${i}`));
  }
  const sent = await Promise.all(sending);
  const took = (performance.now() - began) / 1000;
  const order = sent.map((one, i) => [one.sequence, `flood ${i}`]).sort(([a], [b]) => a - b).map(([, text]) => text);
  await shows(page, order.at(-1));
  const { frames, seen, most, nodes } = await page.evaluate(() => ({
    frames: weirFlood.frames.slice(1), seen: weirFlood.seen, most: weirFlood.most(), nodes: weirFlood.nodes(),
  }));
  assert.deepEqual(seen, order, 'each message once, in the order of the room');
  assert.ok(most <= 200, `${most} lines`);
  assert.equal((await lines(page)).length, 200);
  const sorted = [...frames].sort((a, b) => a - b);
  const at50 = sorted[Math.floor(sorted.length / 2)];
  const at95 = sorted[Math.floor(sorted.length * 0.95)];
  t.diagnostic(`${total} messages in ${took.toFixed(1)} s: ${frames.length} frames, p50 ${at50.toFixed(1)} ms, p95 ${at95.toFixed(1)} ms, `
    + `longest ${sorted.at(-1).toFixed(1)} ms; at most ${most} lines, ${nodes} elements`);
}, { timeout: 90_000 });

scenario('on a phone on its side the chat lies over the picture until it is tapped', async (world) => {
  const { page, owner } = await room(world, 'chromium', { width: 844, height: 390 });
  await owner.write('over you');
  await shows(page, 'over you');
  const boxes = await page.evaluate(() => ['[data-testid="player"]', '[data-testid="chat"]'].map((one) => {
    const { left, top, right, bottom } = document.querySelector(one).getBoundingClientRect();
    return [left, top, right, bottom].map(Math.round);
  }));
  assert.deepEqual(boxes[0], [0, 0, 844, 390]);
  assert.ok(boxes[1][0] > 400 && boxes[1][2] === 844 && boxes[1][3] < 390, boxes[1].join());
  await page.mouse.click(200, 60);
  await until(page, () => document.querySelector('[data-testid="chat"]').getClientRects().length === 0, { what: 'a tap hides it' });
  await click(page, at('chat-show'));
  await until(page, () => document.querySelector('[data-testid="chat"]').getClientRects().length > 0, { what: 'and shows it' });
});

scenario('hidden is remembered, and the picture takes the room', async (world) => {
  const { page } = await room(world, 'chromium', DESKTOP);
  const width = () => page.$eval(at('player'), (player) => player.getBoundingClientRect().width);
  const before = await width();
  await click(page, at('chat-hide'));
  await until(page, () => document.querySelector('[data-testid="chat"]').getClientRects().length === 0, { what: 'hidden' });
  assert.ok(await width() > before);
  await page.reload();
  await page.waitForSelector(at('chat-show'), { visible: true });
  assert.equal(await page.$(at('chat')), null);
  await click(page, at('chat-show'));
  await page.waitForSelector(at('chat'), { visible: true });
  await eventually(async () => await width() === before, { what: 'as before' });
});
