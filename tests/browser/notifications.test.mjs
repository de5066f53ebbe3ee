// Being told: the bell, the page, what one wishes, and what the service worker shows.
import assert from 'node:assert/strict';
import { scenario, until } from './harness.mjs';
import { at, says, signedIn, surely } from './lib/ui.mjs';

scenario('the bell rings on every page as it happens, and what is read stays read', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const joined = async (name) => {
    const made = await weir.api('POST', '/api/v1/sign-up', { name, displayName: name, password: 'correct horse battery' });
    assert.equal(made.status, 201);
    const [cookie, value] = made.headers.get('set-cookie').split(';')[0].split('=');
    return { name: cookie, value };
  };
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, weir.origin);
  await page.setViewport({ width: 390, height: 844 });
  await page.waitForSelector('.bell', { visible: true });
  assert.equal(await page.$(at('unread')), null);
  for (const name of ['ben', 'cleo']) await weir.api('PUT', '/api/v1/channels/ada/follow', undefined, await joined(name));
  await says(page, at('unread'), '1');
  assert.match(await page.$eval('.bell', (bell) => bell.innerText), /1 is new/, 'a screen reader hears it');
  await page.click('.bell');
  await says(page, at('notifications'), '2 people follow ada');
  await until(page, () => document.querySelector('[data-testid="unread"]') === null, { what: 'it is read' });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);

  await page.evaluate(() => [...document.querySelectorAll('.wish')].find((wish) => wish.innerText.includes('follows your channel')).querySelector('input').click());
  await until(page, async () => !(await (await fetch('/api/v1/me/notification-preferences')).json()).follower.inApp, { what: 'the wish is kept' });
  // Two that are switched at once are both kept.
  await page.evaluate(() => {
    const wish = [...document.querySelectorAll('.wish')].find((one) => one.innerText.includes('mentions you'));
    [...wish.querySelectorAll('input')].slice(0, 2).forEach((input) => input.click());
  });
  await until(page, async () => {
    const { mention } = await (await fetch('/api/v1/me/notification-preferences')).json();
    return !mention.inApp && !mention.push;
  }, { what: 'both wishes are kept' });
  await page.evaluate(() => document.querySelector('[data-testid="wishes"] > .toggle input').click());
  await page.waitForSelector(at('quiet-from'), { visible: true });
  await page.$eval(at('quiet-from'), (field) => {
    field.value = '23:15';
    field.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await until(page, async () => (await (await fetch('/api/v1/me/notification-preferences')).json()).quiet?.from === 1395, { what: 'quiet hours' });
  // By the clocks of where this browser is, or of where somebody says that they are.
  const zone = async () => (await (await fetch('/api/v1/me/notification-preferences')).json()).quiet?.zone;
  assert.equal(await page.evaluate(zone), await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone));
  const choose = (name) => page.$eval(at('quiet-zone'), (field, wanted) => {
    field.value = wanted;
    field.dispatchEvent(new Event('change', { bubbles: true }));
  }, name);
  await choose('Asia/Kathmandu');
  await until(page, async () => (await (await fetch('/api/v1/me/notification-preferences')).json()).quiet?.zone === 'Asia/Kathmandu', { what: 'the zone is kept' });
  await choose('Europe/Nowhere');
  await says(page, '[data-testid="wishes"] [role="alert"]', 'time zone');
  await page.waitForSelector(at('quiet-here'), { visible: true });
  await page.click(at('quiet-here'));
  await until(page, async () => (await (await fetch('/api/v1/me/notification-preferences')).json()).quiet?.zone === Intl.DateTimeFormat().resolvedOptions().timeZone, { what: 'the zone here' });
});

scenario('the service worker shows what is pushed, and the same only once', async (world) => {
  const weir = await world.weir();
  await weir.setUp();
  const browser = await world.chromium();
  await browser.defaultBrowserContext().overridePermissions(weir.origin, ['notifications']);
  const page = await world.page(browser, weir.origin);
  const session = await page.createCDPSession();
  const ids = new Promise((done) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      if (registrations.length) done(registrations[0].registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  await page.evaluate(async () => { await navigator.serviceWorker.register('/sw.js'); await navigator.serviceWorker.ready; });
  const registrationId = await ids;
  const told = (id, title) => session.send('ServiceWorker.deliverPushMessage', {
    origin: weir.origin, registrationId, data: JSON.stringify({ id, title, body: 'Evening', url: '/ada', at: '2026-11-20T12:00:00Z' }),
  });
  const shows = (count) => until(page, async (wanted) => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).length === wanted;
  }, { what: `${count} shown`, args: [count] });
  await told('one', 'Ada is live');
  await shows(1);
  await told('one', 'Ada is live');
  await told('two', 'Ben follows you');
  const shown = () => page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map((one) => one.title).sort();
  });
  await shows(2);
  assert.deepEqual(await shown(), ['Ada is live', 'Ben follows you']);
});

scenario('a browser that its push service moves says so by itself', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, weir.origin);
  await page.evaluate(async () => { await navigator.serviceWorker.register('/sw.js'); await navigator.serviceWorker.ready; });
  const target = await browser.waitForTarget((one) => one.type() === 'service_worker');
  const worker = await target.worker();
  const keys = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  };
  await worker.evaluate((known) => {
    const moved = new Event('pushsubscriptionchange');
    moved.waitUntil = () => {};
    moved.newSubscription = { toJSON: () => ({ endpoint: 'https://push.example/moved', keys: known }) };
    self.dispatchEvent(moved);
  }, keys);
  await until(page, async () => (await (await fetch('/api/v1/me/push')).json()).items.length === 1, { what: 'it is told there' });
  await page.goto(`${weir.origin}/notifications`);
  await surely(page, `${at('push-browsers')} button`);
  await until(page, () => document.querySelector('[data-testid="push-browsers"]') === null, { what: 'it is told no more' });
});

scenario('links in letters ask before they do anything, and need nobody signed in', async (world) => {
  const weir = await world.weir();
  await weir.setUp();
  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/unsubscribe?token=ada.mention.00`);
  await says(page, '.notice', 'No more of this e-mail?');
  await page.click(at('letter'));
  await says(page, '[role="alert"]', "isn't whole");
  await page.goto(`${weir.origin}/confirm-email?token=x`);
  await says(page, '.notice', 'Confirm your address');
});
