// Pictures of a lively chat, to be looked at: node shots-chat.mjs FOLDER
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { World, eventually, until } from './harness.mjs';
import { Person, at, becomeGuest, click, openLine, shows } from './lib/chat.mjs';
import { playerIs, signedIn } from './lib/ui.mjs';

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node shots-chat.mjs FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

async function shoot(page, name, sizes = [[390, 844], [1024, 768], [1600, 1000]], schemes = ['dark', 'light']) {
  for (const [width, height] of sizes) {
    await page.setViewport({ width, height });
    for (const scheme of schemes) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
      await page.screenshot({ path: join(resolve(folder), `${name}-${width}-${scheme}.png`) });
    }
  }
  console.log(name);
}

const world = new World();
try {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const ada = new Person(weir, 'ada', { cookie: owner.cookie });
  await weir.api('PATCH', '/api/v1/channels/ada', {
    title: 'Building a river in the garden, part 3', category: 'Making things', tags: ['garden', 'water', 'diy'],
    description: 'Every evening we dig a little, and talk about rivers.\n\nBring tea.',
  }, owner.cookie);
  const [camera, screens] = await Promise.all([world.chromium({ station: 2 }), world.chromium()]);
  const { streamKey } = await (await weir.api('POST', '/api/v1/channels/ada/stream-key', {}, owner.cookie)).json();
  const publisher = await world.client(camera);
  await publisher.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
  await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'live' });

  const names = ['Ben', 'Zoë', 'মীরা', 'דניאל', 'Олена', '陳美玲', 'A very long name that goes on and on', 'مريم'];
  const people = [];
  for (const name of names) people.push(await Person.guest(weir, 'ada', name));
  const [ben, zoe, mira, daniel, olena, mei, long, maryam] = people;
  await ada.write('Good evening! Tonight we line the bed with clay :wave:');
  const asked = await zoe.write('Is that the same clay as last week?');
  await ben.write(':wave: :wave: hi all');
  await ada.write('It is, from the pit by the old mill', { replyTo: asked.id });
  await mira.write('শুভ সন্ধ্যা সবাইকে :heart:');
  await daniel.write('ערב טוב! ראיתי את החלק הקודם https://example.org/part-2 והיה מצוין');
  await long.write('Hooray');
  await olena.write('Скільки літрів на хвилину?');
  await mei.write('看起來很棒 :clap: :clap:');
  await ben.write(`look: ${'waaa'.repeat(40)}`);
  await maryam.write('مساء الخير من الإسكندرية :fire:');
  await zoe.write('https://bank.example.very-trustworthy.example/a/path/that/is/long?and=has&a=query');
  await ada.write('@Ben hands off the shovel :laugh:');
  const rude = await mei.write('something that has to go');
  await ada.delete(rude.id);
  // Who is timed out without an account is so with everybody at that address: here, with all.
  await ada.silence(long.author.id, 600);
  await ada.lift(long.author.id);
  await ada.rules({ slowSeconds: 5 });
  await mira.write('Does the water run by itself, or is there a pump somewhere behind the hedge that we don’t see?');

  const page = await world.page(screens, `${weir.origin}/ada`);
  await playerIs(page, 'live', { timeout: 15_000 });
  await shows(page, 'Does the water run');
  await becomeGuest(page, 'Ida');
  await ada.write('@Ida welcome! The pump is off tonight');
  await shows(page, 'welcome');
  await shoot(page, 'chat-live');
  await page.setViewport({ width: 1600, height: 1000 });
  await click(page, at('emote-picker'));
  await page.waitForSelector(at('emotes'), { visible: true });
  await shoot(page, 'chat-picker', [[390, 844], [1600, 1000]]);
  await page.keyboard.press('Escape');
  await openLine(page, 'same clay');
  await click(page, at('chat-reply-to'));
  await page.keyboard.type('I would like to know that, too, and how long it takes to dry before the water may come in :he');
  await page.keyboard.press('Tab');
  await shoot(page, 'chat-reply', [[390, 844], [1600, 1000]]);
  await page.keyboard.press('Enter');
  await until(page, () => /You can write again/.test(document.querySelector('[data-testid="chat-state"]').innerText));
  await page.hover('[data-testid="chat-line"]:nth-last-child(3)');
  await shoot(page, 'chat-slow', [[390, 844], [1600, 1000]]);
  await page.setViewport({ width: 844, height: 390 });
  await shoot(page, 'chat-sideways', [[844, 390]]);
  await page.setViewport({ width: 1600, height: 1000 });
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('t');
  await shoot(page, 'chat-theatre', [[1024, 768], [1600, 1000]], ['dark']);
  await page.keyboard.press('t');
  await page.setViewport({ width: 1600, height: 600 });
  await page.$eval(at('chat-log'), (log) => { log.scrollTop = -160; });
  await ben.write('new below');
  await page.waitForSelector(at('chat-newer'));
  await shoot(page, 'chat-paused', [[390, 844], [1600, 1000]]);
  await click(page, at('chat-hide'));
  await shoot(page, 'chat-hidden');

  const context = await screens.createBrowserContext();
  await signedIn(context, weir, owner);
  const mine = await world.page(screens, `${weir.origin}/embed/ada/chat`, { context });
  await shows(mine, 'new below');
  await click(mine, at('chat-settings'));
  await mine.waitForSelector(at('moderator-name'), { visible: true });
  await shoot(mine, 'chat-settings', [[390, 844]]);
  await mine.keyboard.press('Escape');
  await openLine(mine, 'ערב');
  await shoot(mine, 'chat-moderate', [[390, 844]]);

  await ada.command('/poll 10m What comes into the bed next? | Clay from the pit | Stones | Reeds');
  await ada.pin(asked.id);
  await ada.rules({ followers: true, followersMinutes: 10 });
  await page.bringToFront();
  await page.setViewport({ width: 1600, height: 1000 });
  await page.waitForSelector(at('poll'), { visible: true });
  await shoot(page, 'chat-poll', [[390, 844], [1600, 1000]]);
  await ada.rules({ followers: false });
  await ada.filters({ words: ['follow4follow'], links: 'hold', capitals: true, lookAlikes: true, hosts: ['example.org'] });
  const raiders = [];
  for (let n = 0; n < 6; n += 1) raiders.push(await Person.guest(weir, 'ada', `Raider ${n}`, `198.51.100.${n}`));
  const lines = ['FOLLOW4FOLLOW everybody', 'see evil.com for free tickets', 'WHY WON’T YOU ANSWER ANY OF US', 'log in at pаypal', 'https://evil.example/win'];
  for (const [n, line] of lines.entries()) await raiders[n].write(line);
  await raiders[5].write('hello there');
  await ada.silence(raiders[5].author.id, 600);
  await ada.command(`/ban ${raiders[0].author.id} advertising`);
  const desk = await world.page(screens, `${weir.origin}/moderation/ada?person=${raiders[5].author.id}`, { context });
  await desk.waitForSelector(at('person-card'), { visible: true });
  await desk.focus(at('queue-line'));
  await shoot(desk, 'moderation', [[390, 844], [1024, 768], [1600, 1000]]);

  const overlay = await world.page(screens, `${weir.origin}/embed/ada/chat?overlay&fade=0`);
  await shows(overlay, 'new below');
  await overlay.evaluate(() => {
    document.documentElement.style.background = 'repeating-conic-gradient(#fff 0 25%, #3a6 0 50%, #222 0 75%, #e94 0) 0 0 / 220px 160px';
  });
  await shoot(overlay, 'chat-overlay', [[640, 720]], ['dark']);
} catch (error) {
  await world.report();
  throw error;
} finally {
  await world.close();
}
