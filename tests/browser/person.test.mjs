// One person's way in, as they would go it: sign up, follow, be told, write, be timed out, and come back.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { DESKTOP, PHONE, Person, shows, write } from './lib/chat.mjs';
import { at, click, fill, playerIs, says } from './lib/ui.mjs';

for (const [width, viewport] of [['a phone', PHONE], ['a desk', DESKTOP]]) {
  scenario(`somebody signs up, follows, is told, chats, is timed out and comes back, on ${width}`, async (world) => {
    const weir = await world.weir();
    const owner = await weir.setUp();
    await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
    const ada = new Person(weir, 'ada', { cookie: owner.cookie });
    const [camera, browser] = await Promise.all([world.chromium({ station: 1 }), world.chromium({ viewport })]);

    // A link to the channel is all they have: whoever would follow signs in, or up, and is back.
    const page = await world.page(browser, `${weir.origin}/ada`);
    await playerIs(page, 'offline');
    await page.goto(`${weir.origin}/sign-up`);
    await fill(page, at('name'), 'ben');
    await fill(page, at('display-name'), 'Ben');
    await fill(page, at('password'), 'correct horse battery');
    await click(page, at('sign-up'));
    await until(page, () => location.pathname === '/', { what: 'the first page' });
    await page.goto(`${weir.origin}/ada`);
    await click(page, at('follow'));
    await until(page, () => document.querySelector('[data-testid="follow"]').getAttribute('aria-pressed') === 'true', { what: 'it is followed' });

    // Elsewhere on the site, they are told as it happens, and are there with one press.
    await page.goto(`${weir.origin}/search`);
    await page.waitForSelector('.bell', { visible: true });
    const publisher = await world.client(camera);
    const { token } = await (await weir.api('POST', '/api/v1/channels/ada/publish-token', {}, owner.cookie)).json();
    await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: token, codec: 'VP8' });
    await says(page, at('unread'), '1', { timeout: 20_000 });
    await click(page, '.bell');
    await says(page, at('notifications'), 'Ada is live');
    await click(page, `${at('notifications')} a[href="/ada"]`);
    await playerIs(page, 'live');
    await seesStation(page, 1);

    // They write, with an emote; the streamer's moderator sends them out for a while; they come back by themselves.
    await page.waitForSelector(at('chat-text'), { visible: true });
    await write(page, 'good evening :wave: ');
    await shows(page, 'good evening');
    await until(page, () => document.querySelector('[data-testid="chat-line"] img.chat-emote'), {
      what: 'the emote is a picture',
    });
    assert.equal((await ada.command('/timeout @Ben 6s too loud')).status, 200);
    await says(page, at('chat-state'), /You were timed out\. You can write again in \d+ s\./);
    await until(page, () => document.querySelector('[data-testid="chat-state"]').innerText === '', { what: 'the time-out is over', timeout: 15_000 });
    await write(page, 'sorry');
    await shows(page, 'sorry');
    // The picture went on all along, and that they were sent out was told to them by name.
    await seesStation(page, 1);
    await eventually(async () => {
      const { items } = await page.evaluate(async () => (await fetch('/api/v1/me/notifications')).json());
      return items.some((one) => one.kind === 'moderation' && one.title.includes('timed out'));
    }, { what: 'the bell says it, too' });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
  }, { timeout: 120_000 });
}
