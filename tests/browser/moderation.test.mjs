// Moderation as moderators do it: by commands, in the chat, and on their own page.
import assert from 'node:assert/strict';
import { eventually, scenario, until } from './harness.mjs';
import { signedIn, surely } from './lib/ui.mjs';
import { DESKTOP, PHONE, Person, at, becomeGuest, click, fill, hides, openLine, says, shows, write } from './lib/chat.mjs';
import { PAYLOADS } from './lib/xss.mjs';

/** A channel, its owner, and a browser that is signed in as the owner. */
async function room(world, viewport) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium({ viewport });
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  return { weir, browser, ada: new Person(weir, 'ada', { cookie: owner.cookie }) };
}

/** The messages that the desk says wait. */
function waiting(page, count) {
  return until(page, (wanted) => document.querySelectorAll('[data-testid="queue-line"]').length === wanted, {
    what: `${count} messages wait`, args: [count], timeout: 15_000,
  });
}

for (const [width, viewport] of [['a desk', DESKTOP], ['a phone', PHONE]]) {
  scenario(`commands do what they say, complete themselves and answer, on ${width}`, async (world) => {
    const { weir, browser, ada } = await room(world, viewport);
    const page = await world.page(browser, `${weir.origin}/ada`);
    await page.waitForSelector(at('chat-text'), { visible: true });
    const ben = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
    await becomeGuest(ben, 'Ben');
    await write(ben, 'something rude');
    await shows(page, 'something rude');
    await fill(page, at('chat-text'), '/tim');
    await page.keyboard.press('Tab');
    await until(page, () => document.querySelector('#chat-text').value === '/timeout ', { what: 'Tab completes the command' });
    await says(page, at('chat-state'), '/timeout NAME [TIME] [REASON]');
    await page.keyboard.type('@B');
    await page.keyboard.press('Tab');
    await until(page, () => document.querySelector('#chat-text').value === '/timeout @Ben ', { what: 'Tab completes the name' });
    await page.keyboard.type('2m rude');
    await page.keyboard.press('Enter');
    await until(page, () => /Ben.* can't write for 2 min\./.test(document.querySelector('[data-testid="chat-said"]')?.innerText ?? ''), { what: 'the answer' });
    await hides(ben, 'something rude');
    await says(ben, at('chat-state'), /You were timed out\./);
    // And back.
    await write(page, '/unban ben');
    await until(ben, () => document.querySelector('[data-testid="chat-state"]').innerText === '', { what: 'the time-out is over' });
    await write(ben, 'sorry');
    await shows(page, 'sorry');
    // A slip is told, comes back to be mended, and is shown to nobody.
    await write(page, '/tiemout ben');
    await until(page, () => [...document.querySelectorAll('[data-testid="chat-said"]')].some((line) => line.innerText.includes('There is no command')), { what: 'the slip is told' });
    await until(page, () => document.querySelector('#chat-text').value === '/tiemout ben', { what: 'the text is back' });
    await fill(page, at('chat-text'), '/emoteonly');
    await page.keyboard.press('Enter');
    await says(ben, at('chat-modes'), 'Emotes only');
    await write(ben, 'words');
    await until(ben, () => /Only emotes can be sent now/.test(document.querySelector('[data-testid="chat-pending"]')?.innerText ?? ''), { what: 'words are refused' });
    await write(page, '/emoteonly off');
    await until(ben, () => !document.querySelector('[data-testid="chat-modes"]'), { what: 'the mode is off' });
    // Pinned for everybody, banned for good.
    await openLine(page, 'sorry');
    await click(page, at('chat-pin-it'));
    await says(ben, at('chat-pin'), 'sorry');
    await openLine(page, 'sorry');
    await surely(page, at('chat-ban'));
    await says(ben, at('chat-state'), 'You are banned from this chat. You can go on watching.');
    await until(ben, () => !document.querySelector('[data-testid="chat-pin"]'), { what: 'what is deleted is pinned no more' });
    await ben.reload();
    await says(ben, at('chat-state'), 'You are banned from this chat. You can go on watching.');
    await write(page, '/me waves');
    await shows(page, 'waves');
    const kinds = (await ada.actions()).map((action) => action.kind);
    assert.deepEqual(kinds, ['ban', 'pin', 'rules', 'rules', 'liftTimeOut', 'timeOut']);
  });

  scenario(`a raid of 200 is kept off the room, on ${width}`, async (world) => {
    const { weir, browser, ada } = await room(world, viewport);
    await ada.filters({ words: ['follow4follow'], links: 'hold', repeats: true, capitals: true, lookAlikes: true });
    const desk = await world.page(browser, `${weir.origin}/moderation/ada`);
    await desk.waitForSelector(at('queue-empty'), { visible: true });
    const zoe = await Person.guest(weir, 'ada', 'Zoë', '203.0.113.200');
    await zoe.write('lovely evening');
    const raiders = [];
    for (let n = 0; n < 200; n += 1) raiders.push(await Person.guest(weir, 'ada', `Raider ${n}`, `198.51.100.${n}`));
    const lines = ['FOLLOW4FOLLOW now', 'f.o.l.l.o.w.4.follow', 'see evil.com', 'WHY WON’T YOU ANSWER ANY OF US', 'log in at pаypal'];
    for (let from = 0; from < raiders.length; from += 20) {
      await Promise.all(raiders.slice(from, from + 20).map((raider, n) => raider.write(`${lines[(from + n) % lines.length]}`)));
    }
    // Nothing of it reached the room, but for the line that the list doesn't know.
    const messages = await (await fetch(`${weir.origin}/api/v1/channels/ada/chat/messages?limit=200`)).json();
    const shown = messages.items.map((message) => message.fragments.map((one) => one.text).join(''));
    assert.equal(shown.filter((text) => text === 'lovely evening').length, 1);
    assert.ok(shown.length <= 41, `${shown.length} came through`);
    const waits = await ada.held();
    assert.ok(waits.length >= 160, `${waits.length} wait`);
    await until(desk, () => document.querySelectorAll('[data-testid="queue-line"]').length > 10, { what: 'the queue fills' });
    // One by one, by keys: the focus goes on to the next.
    await desk.focus(at('queue-line'));
    for (const key of ['r', 'a', 'r']) await desk.keyboard.press(key);
    await eventually(async () => {
      const kinds = (await ada.actions()).map((action) => action.kind);
      return kinds.filter((kind) => kind === 'refuse').length === 2 && kinds.filter((kind) => kind === 'approve').length === 1;
    }, { what: 'three were decided' });
    await until(desk, () => document.activeElement?.dataset.testid === 'queue-line', { what: 'the focus is on the next' });
    // Somebody's history, and a time-out, which takes along what waits of them.
    await desk.keyboard.press('h');
    await desk.waitForSelector(at('person-card'), { visible: true });
    await until(desk, () => document.activeElement?.id === 'person', { what: 'the card has the focus' });
    await surely(desk, at('card-ban'));
    await until(desk, () => /Banned\./.test(document.querySelector('[data-testid="person-card"]')?.innerText ?? ''), { what: 'the card says so' });
    const banned = (await ada.actions()).find((action) => action.kind === 'ban');
    assert.match(banned.personName, /^Raider /);
    assert.ok(!(await ada.held()).some((held) => held.author.id === banned.person));
    // Closed, the card gives the focus back.
    await click(desk, at('card-close'));
    await until(desk, () => ['queue-line', 'queue'].includes(document.activeElement?.dataset.testid ?? document.activeElement?.id), {
      what: 'the focus is back at the queue',
    });
    // The rest of the raid: emotes alone for a while, and nothing twice. Both are changed at once, and both count.
    await click(desk, `${at('desk-rules')} summary`);
    await click(desk, `${at('desk-filters')} summary`);
    await desk.evaluate(() => {
      const labels = [...document.querySelectorAll('[data-testid="desk-rules"] label, [data-testid="desk-filters"] label')];
      for (const words of ['Only emotes', 'said twice', 'over and over', 'capitals']) {
        labels.find((label) => label.innerText.includes(words)).querySelector('input').click();
      }
    });
    await eventually(async () => {
      const { settings } = await (await fetch(`${weir.origin}/api/v1/channels/ada/chat`)).json();
      return settings.emoteOnly && settings.unique;
    }, { what: 'the modes are on' });
    await until(desk, async () => {
      const filters = await (await fetch('/api/v1/channels/ada/chat/filters')).json();
      return !filters.repeats && !filters.capitals && filters.lookAlikes;
    }, { what: 'both filters are off' });
    // It fits the screen.
    const overflow = await desk.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
  }, { timeout: 120_000 });
}

scenario('a poll is asked, answered on a phone, and over', async (world) => {
  const { weir, browser, ada } = await room(world, PHONE);
  const page = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
  await becomeGuest(page, 'Ben');
  assert.equal((await ada.command('/poll 10m What next? | Clay | Stones')).status, 200);
  await click(page, at('vote-1'));
  await says(page, at('answer-1'), /Stones\s*100 %/);
  await says(page, at('poll-state'), /^1 vote · (10 min|9 min \d+ s) left$/);
  await page.reload();
  await says(page, at('answer-1'), /100 %/);
  assert.equal((await ada.command('/poll end')).status, 200);
  await says(page, at('poll-state'), '1 vote · over');
  await click(page, at('poll-close'));
  await until(page, () => !document.querySelector('[data-testid="poll"]'), { what: 'it is put away' });
});

scenario('whoever is not signed in signs in first, and is back at the queue', async (world) => {
  const weir = await world.weir();
  await weir.setUp();
  const browser = await world.chromium({ viewport: DESKTOP });
  const page = await world.page(browser, `${weir.origin}/moderation/ada`);
  await fill(page, at('name'), 'ada');
  await fill(page, at('password'), 'correct horse battery');
  await click(page, at('sign-in'));
  await says(page, at('queue-empty'), 'Nothing waits');
  assert.equal(await page.evaluate(() => location.pathname), '/moderation/ada');
});

scenario('two moderators who decide at once see one result', async (world) => {
  const { weir, browser, ada } = await room(world, DESKTOP);
  await ada.filters({ words: ['badword'] });
  const ben = await Person.guest(weir, 'ada', 'Ben', '203.0.113.9');
  await ben.write('badword');
  const [one, other] = await Promise.all([0, 1].map(() => world.page(browser, `${weir.origin}/moderation/ada`)));
  await Promise.all([waiting(one, 1), waiting(other, 1)]);
  await Promise.all([click(one, at('queue-approve')), click(other, at('queue-refuse'))]);
  await Promise.all([waiting(one, 0), waiting(other, 0)]);
  await eventually(async () => (await ada.actions()).filter((action) => ['approve', 'refuse'].includes(action.kind)).length === 1, { what: 'one decision' });
  const approved = (await ada.actions()).some((action) => action.kind === 'approve');
  const messages = await (await fetch(`${weir.origin}/api/v1/channels/ada/chat/messages`)).json();
  assert.equal(messages.items.length, approved ? 1 : 0);
});

scenario('whoever is held sees that, and what became of it', async (world) => {
  const { weir, browser, ada } = await room(world, DESKTOP);
  await ada.filters({ words: ['badword'] });
  const ben = await world.page(browser, `${weir.origin}/ada`, { context: await browser.createBrowserContext() });
  await becomeGuest(ben, 'Ben');
  await write(ben, 'one badword');
  await says(ben, at('chat-pending'), /Waits for a moderator/);
  const desk = await world.page(browser, `${weir.origin}/moderation/ada`);
  await waiting(desk, 1);
  await click(desk, at('queue-approve'));
  await shows(ben, 'one badword');
  await until(ben, () => !document.querySelector('[data-testid="chat-pending"]'), { what: 'it waits no more' });
  await write(ben, 'another badword');
  await waiting(desk, 1);
  await click(desk, at('queue-refuse'));
  await says(ben, at('chat-said'), /did not let your message through/);
});

for (const [width, viewport] of [['a desk', DESKTOP], ['a phone', PHONE]]) {
  scenario(`an appeal is made where it says that one is banned, and answered at the desk, on ${width}`, async (world) => {
    const { weir, browser, ada } = await room(world, viewport);
    await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, ada.cookie);
    const made = await weir.api('POST', '/api/v1/sign-up', { name: 'ben', displayName: 'Ben', password: 'correct horse battery' });
    assert.equal(made.status, 201);
    const [name, value] = made.headers.get('set-cookie').split(';')[0].split('=');
    const cookie = { name, value };
    const context = await browser.createBrowserContext();
    await signedIn(context, weir, { cookie });
    const page = await world.page(browser, `${weir.origin}/ada`, { context });
    await page.waitForSelector(at('chat-text'), { visible: true });
    await write(page, 'something rude');
    await shows(page, 'something rude');
    const desk = await world.page(browser, `${weir.origin}/moderation/ada`);
    await desk.waitForSelector(at('appeals-empty'), { visible: true });
    assert.equal((await ada.command('/ban ben Rude')).status, 200);
    // Sent empty, it says so; then it waits, and nobody is asked to write it again.
    await click(page, at('appeal-open'));
    await click(page, at('appeal-send'));
    await says(page, '#chat-appeal-note', 'Say why');
    await fill(page, at('appeal-text'), 'That was a <b>quote</b>.');
    await click(page, at('appeal-send'));
    await says(page, at('own-appeal'), 'Your appeal is with the moderators.');
    await says(desk, at('appeal-line'), 'That was a <b>quote</b>.');
    await says(desk, at('appeal-line'), 'Rude');
    await click(desk, at('appeal-look'));
    await says(desk, at('person-card'), 'something rude');
    await click(desk, at('card-close'));
    await fill(desk, at('appeal-answer'), 'Not even as one.');
    await click(desk, at('appeal-decline'));
    await desk.waitForSelector(at('appeals-empty'), { visible: true });
    await until(desk, () => document.activeElement?.id === 'desk-appeals', { what: 'the focus is on the list' });
    await says(page, at('own-appeal'), /Your appeal was declined\.[^]*Not even as one\./);
    // Another ban is another matter: this time it is lifted, and two who decide at once see one result.
    assert.equal((await ada.command('/unban ben')).status, 200);
    await says(page, at('chat-said'), 'Your ban was lifted');
    assert.equal((await ada.command('/ban ben Again')).status, 200);
    await click(page, at('appeal-open'));
    await fill(page, at('appeal-text'), 'And this was none.');
    await click(page, at('appeal-send'));
    const other = await world.page(browser, `${weir.origin}/moderation/ada`);
    await Promise.all([says(desk, at('appeal-line'), 'And this was none.'), says(other, at('appeal-line'), 'And this was none.')]);
    await Promise.all([click(desk, at('appeal-accept')), click(other, at('appeal-accept'))]);
    await Promise.all([desk, other].map((one) => one.waitForSelector(at('appeals-empty'), { visible: true })));
    await until(page, () => document.querySelector('[data-testid="own-appeal"]') === null, { what: 'the ban is lifted' });
    await write(page, 'thank you');
    await shows(page, 'thank you');
    const kinds = (await ada.actions()).map((action) => action.kind);
    assert.deepEqual(kinds, ['acceptAppeal', 'ban', 'unban', 'declineAppeal', 'ban']);
    const overflow = await desk.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
  });
}

scenario('more than 300 texts that would run do not, wherever they are shown', async (world) => {
  const { weir, browser, ada } = await room(world, DESKTOP);
  assert.ok(PAYLOADS.length >= 300, `${PAYLOADS.length}`);
  const page = await world.page(browser, `${weir.origin}/ada`);
  await page.waitForSelector(at('chat-text'), { visible: true });
  const strange = (one) => one.evaluate(() => {
    const known = ['LI', 'SPAN', 'BDI', 'A', 'IMG', 'BUTTON', 'SVG', 'PATH', 'TIME', 'P', 'B', 'OL', 'UL', 'H1', 'H2', 'H3', 'SECTION', 'DIV',
      'ASIDE', 'HEADER', 'FORM', 'TEXTAREA', 'DETAILS', 'SUMMARY', 'LABEL', 'INPUT', 'SELECT', 'OPTION', 'ARTICLE', 'FIELDSET', 'LEGEND'];
    const all = [...document.querySelectorAll('[data-testid="chat"] *, [data-testid="moderation"] *')];
    const told = (element) => [...element.attributes].some(({ name }) => name.startsWith('on'));
    const bad = all.filter((element) => !known.includes(element.tagName.toUpperCase()) || told(element)
      || (element.tagName === 'A' && !/^(https?:|\/)/.test(element.getAttribute('href')))
      || (element.tagName === 'IMG' && !element.getAttribute('src').startsWith('/emotes/')));
    return { ran: globalThis.weirRan ?? null, bad: bad.map((element) => element.outerHTML.slice(0, 80)) };
  });
  // As messages, answers, what one does, and pinned.
  let last;
  for (const [n, text] of PAYLOADS.entries()) {
    last = await ada.write(n % 3 === 1 ? `/me ${text}` : text, n % 3 === 2 ? { replyTo: last.id } : {});
    if (n % 50 === 0) await ada.pin(last.id);
    if (n % 80 === 0) assert.deepEqual(await strange(page), { ran: null, bad: [] });
  }
  await ada.pin(last.id);
  await ada.write('the end');
  await shows(page, 'the end');
  assert.deepEqual(await strange(page), { ran: null, bad: [] });
  // As names, reasons, words of a list, in the queue, on a card, in a command's answer.
  await ada.filters({ words: PAYLOADS.filter((text) => text.length <= 38 && /[a-z0-9]/i.test(text)).slice(0, 200) });
  const named = PAYLOADS.filter((text) => text.length <= 40 && !/[\u0000-\u001f\u202a-\u202e]/.test(text)).slice(0, 60);
  for (const [n, name] of named.entries()) {
    const guest = await Person.guest(weir, 'ada', name, `198.51.100.${n}`);
    await guest.write(PAYLOADS[n]);
    if (n % 10 === 0) await ada.silence(guest.author.id, 60);
    else if (n % 10 === 1) await ada.command(`/ban ${guest.author.id} ${PAYLOADS[n + 60]}`);
  }
  await fill(page, at('chat-text'), `/ban ${PAYLOADS[3]}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector(at('chat-said'));
  assert.deepEqual(await strange(page), { ran: null, bad: [] });
  const person = (await ada.actions()).find((action) => action.kind === 'ban').person;
  const desk = await world.page(browser, `${weir.origin}/moderation/ada?person=${person}`);
  await desk.waitForSelector(at('person-card'), { visible: true });
  await until(desk, () => document.querySelectorAll('[data-testid="queue-line"]').length > 10, { what: 'the queue' });
  assert.deepEqual(await strange(desk), { ran: null, bad: [] });
}, { timeout: 120_000 });
