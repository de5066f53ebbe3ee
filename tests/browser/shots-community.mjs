// Pictures of what makes a place of a channel, to be looked at: node shots-community.mjs FOLDER [name part …]
// The door of a private channel, subscriptions, webhooks, the record, emotes, the moderators' page. 390, 1024 and 1600 px, dark and
// light. Not a test: it asserts nothing but that each state is reached.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { World, until } from './harness.mjs';
import { at, click, fill, says, signedIn } from './lib/ui.mjs';

const [folder, ...words] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node shots-community.mjs FOLDER [part of a name …]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

async function shoot(page, name, fullPage = true) {
  if (words.length && !words.some((word) => name.includes(word))) return;
  for (const [width, height] of [[390, 844], [1024, 768], [1600, 1000]]) {
    await page.setViewport({ width, height });
    for (const scheme of ['dark', 'light']) {
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        // Else a picture shows colours on their way from one scheme to the other.
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ]);
      await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
      await page.screenshot({ path: join(resolve(folder), `${name}-${width}-${scheme}.png`), fullPage });
    }
  }
  await page.setViewport({ width: 1280, height: 800 });
  console.log(name);
}

const open = (page, title) => page.evaluate((text) => {
  for (const part of document.querySelectorAll('details')) {
    part.open = part.querySelector('details') !== null || part.querySelector('summary').innerText.includes(text);
  }
}, title);

const world = new World();
try {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const api = async (method, path, body, cookie = owner.cookie) => {
    const answer = await weir.api(method, `/api/v1/${path}`, body, cookie);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  await api('PATCH', 'instance/settings', { signUp: 'open' });
  const people = {};
  for (const [name, displayName] of [['ben', 'Ben'], ['cleo', 'Cleo from the valley of many long names']]) {
    const answer = await api('POST', 'sign-up', { name, displayName, password: 'correct horse battery' });
    const [cookie, value] = answer.headers.get('set-cookie').split(';')[0].split('=');
    people[name] = { name: cookie, value };
  }
  const browser = await world.chromium();
  const as = async (who, path) => {
    const context = await browser.createBrowserContext();
    if (who) await signedIn(context, weir, { cookie: who });
    return world.page(browser, `${weir.origin}${path}`, { context });
  };
  await api('PATCH', 'channels/ada', { title: 'Building a river in the garden, part 3' });
  await api('PUT', 'channels/ada/moderators/ben', {});
  await api('PUT', 'channels/ada/chat/filters', { links: 'hold', words: ['badword'] });
  for (const text of ['Good evening', 'Is that clay?', 'See https://example.org/river', 'badword, I say']) {
    await api('POST', 'channels/ada/chat/messages', { text }, people.cleo);
  }
  await api('PUT', 'channels/ada/subscribers/cleo', { tier: 'two', days: 30 });
  await api('POST', 'channels/ada/gift-codes', { label: 'The raffle', tier: 'one', days: 30, count: 5 });
  await api('POST', 'channels/ada/webhooks', { url: 'https://localhost/weir', label: 'Sheet', kinds: ['StreamStarted', 'FollowCreated'] });

  const { id: cleo } = await (await api('GET', 'me', undefined, people.cleo)).json();
  for (const who of ['ben', 'cleo']) await api('PUT', 'channels/ada/follow', undefined, people[who]);
  await api('PUT', 'me/colour', { colour: 'violet' }, people.cleo);
  await api('PATCH', 'me', { bio: 'I dig, and I watch others dig.' }, people.cleo);
  await api('POST', 'channels/ada/chat/messages', { text: 'Stones on the left :wave:' }, people.cleo);

  const about = '# Rivers\n\nI build **rivers** in gardens, with clay and stones.\n\n- Friday: building\n- Sunday: questions\n\n[The plans](https://example.org/plans)';
  await api('PATCH', 'channels/ada', { about });
  const entries = [{ title: 'Evening build', on: { weekday: 'friday' }, time: '20:00', minutes: 120 }, { title: 'Questions', on: { weekday: 'sunday' }, time: '11:30', minutes: 60 }];
  await api('PUT', 'channels/ada/schedule', { timeZone: 'Europe/Berlin', entries });
  const subscriber = await as(people.cleo, '/ada');
  await subscriber.waitForSelector(at('follow'), { visible: true });
  await shoot(subscriber, 'channel');
  await click(subscriber, at('emote-picker'));
  await subscriber.waitForSelector(at('emote-search'), { visible: true });
  await shoot(subscriber, 'picker', false);
  const moderator = await as(people.ben, '/moderation/ada');
  await says(moderator, 'main', 'badword');
  await shoot(moderator, 'moderation');
  await api('POST', 'channels/ada/chat/bans', { person: cleo, reason: 'Digging in the wrong garden' });
  await subscriber.reload();
  await says(subscriber, at('chat'), 'banned');
  await shoot(subscriber, 'banned', false);
  await api('POST', 'channels/ada/chat/appeal', { text: 'It was my own garden, and I have the papers to show for it.' }, people.cleo);
  await says(moderator, 'main', 'my own garden');
  await shoot(moderator, 'appeal');

  const page = await as(owner.cookie, '/settings');
  for (const [title, name] of [
    ['Pictures', 'pictures'], ['About, at length', 'about'], ['Schedule', 'schedule'], ['Who gets in', 'access'], ['Subscriptions', 'subscriptions'], ['Webhooks', 'webhooks'], ['Emotes', 'emotes'],
  ]) {
    await page.waitForSelector('details summary');
    await open(page, title);
    await until(page, () => document.querySelector('.skeleton-line') === null, { what: name });
    await shoot(page, `settings-${name}`);
  }
  await until(page, () => {
    const remove = document.querySelector('[data-testid="delete-channel"]');
    remove.closest('details').open = true;
    return remove.getClientRects().length > 0;
  }, { what: 'a way to delete the channel' });
  await click(page, at('delete-channel'));
  await shoot(page, 'delete-channel', false);
  await click(page, at('keep'));
  for (const [path, shown, name] of [
    ['/admin', at('instance-channels'), 'admin'], ['/studio', at('activity'), 'studio'], ['/people/cleo', at('person'), 'person'],
    ['/admin/audit', at('audit'), 'admin-audit'],
  ]) {
    await page.goto(weir.origin + path);
    await page.waitForSelector(shown, { visible: true });
    await shoot(page, name);
  }
  await page.goto(`${weir.origin}/settings/audit/ada`);
  await says(page, at('audit'), 'made a webhook');
  await shoot(page, 'audit');

  await api('PUT', 'channels/ada/password', { password: 'a rather long word' });
  await api('PATCH', 'channels/ada', { visibility: 'PRIVATE' });
  const stranger = await as(null, '/ada');
  await stranger.waitForSelector(at('door-password'), { visible: true });
  await shoot(stranger, 'door');
  await fill(stranger, at('door-password'), 'quite another word');
  await click(stranger, at('enter'));
  await until(stranger, () => document.querySelector('[aria-invalid="true"]') !== null, { what: 'it is wrong' });
  await shoot(stranger, 'door-wrong');
} finally {
  await world.close();
}
