// Deleting channels and accounts, suspending, a person's page, and the way to the desks that one moderates.
import assert from 'node:assert/strict';
import { scenario, until } from './harness.mjs';
import { at, click, fill, namesOf, says, signedIn, surely } from './lib/ui.mjs';

const PASSWORD = 'correct horse battery';

/** An open instance of ada's, with somebody of each name, and a browser that is signed in as ada. */
async function house(world, names) {
  const weir = await world.weir();
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const people = {};
  for (const name of names) {
    const made = await weir.api('POST', '/api/v1/sign-up', { name, displayName: name.toUpperCase(), password: PASSWORD });
    assert.equal(made.status, 201);
    const [cookie, value] = made.headers.get('set-cookie').split(';')[0].split('=');
    people[name] = { cookie: { name: cookie, value } };
  }
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  return { weir, owner, people, browser };
}

async function pageOf(world, browser, weir, who, url) {
  const context = await browser.createBrowserContext();
  await signedIn(context, weir, who);
  return world.page(browser, url, { context });
}

const openAll = (page) => page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));

scenario('an owner deletes a channel by typing its name, on a phone, and whoever is there is told', async (world) => {
  const { weir, owner, people, browser } = await house(world, ['ben']);
  await weir.api('POST', '/api/v1/channels', { name: 'stage', displayName: 'The stage' }, people.ben.cookie);
  const viewer = await world.page(browser, `${weir.origin}/stage`);
  await says(viewer, 'main', 'The stage');
  const page = await pageOf(world, browser, weir, people.ben, `${weir.origin}/settings`);
  await page.setViewport({ width: 390, height: 844 });
  await page.waitForSelector('details.more details.more summary');
  await openAll(page);
  await click(page, at('delete-channel'));
  await says(page, 'dialog[open]', 'Delete the channel The stage?');
  await says(page, 'dialog[open]', 'subscriptions, webhooks');
  await fill(page, at('erase-confirm'), 'stag');
  await click(page, at('erase'));
  await says(page, 'dialog[open]', 'Type “stage” first');
  await click(page, at('keep'));
  await until(page, () => document.querySelector('dialog') === null, { what: 'the question is gone' });
  assert.equal((await weir.api('GET', '/api/v1/channels/stage')).status, 200, 'nothing was deleted');
  await click(page, at('delete-channel'));
  await fill(page, at('erase-confirm'), 'stage');
  await page.keyboard.press('Enter');
  await says(page, '.toasts', 'The channel is gone');
  await until(page, () => !document.querySelector('main').innerText.includes('The stage'), { what: 'it is not in the settings' });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
  await says(viewer, 'main', 'There is no channel here');
  const record = await (await weir.api('GET', '/api/v1/audit?action=channel.deleted', undefined, owner.cookie)).json();
  assert.equal(record.items[0].channel.name, 'stage');
});

scenario('a person deletes their account, is told what goes with it, and their words stay without a name', async (world) => {
  const { weir, owner, people, browser } = await house(world, ['ben']);
  await weir.api('POST', '/api/v1/channels', { name: 'stage', displayName: 'The stage' }, people.ben.cookie);
  const said = await weir.api('POST', '/api/v1/channels/ada/chat/messages', { text: 'Clay is best' }, people.ben.cookie);
  assert.ok(said.ok);
  const page = await pageOf(world, browser, weir, people.ben, `${weir.origin}/settings`);
  await says(page, 'main', 'Signed in as ben');
  await openAll(page);
  await click(page, at('delete-account'));
  await says(page, 'dialog[open]', 'Your channel /stage is deleted with it');
  await fill(page, at('erase-confirm'), 'ben');
  await click(page, at('erase'));
  await until(page, () => location.pathname === '/', { what: 'the first page' });
  await page.waitForSelector(at('to-sign-in'));
  const chat = await world.page(browser, `${weir.origin}/ada`);
  await until(chat, () => [...document.querySelectorAll('.chat-name')].some((name) => name.innerText === 'Deleted person'), { what: 'nobody’s name' });
  await says(chat, 'main', 'Clay is best');
  assert.equal((await weir.api('GET', '/api/v1/channels/stage')).status, 404);
  // The owner can't go, and is told so.
  const own = await world.page(browser, `${weir.origin}/settings`);
  await says(own, 'main', `Signed in as ${owner.name}`);
  await openAll(own);
  await says(own, 'main', 'somebody has to');
  assert.equal(await own.$(at('delete-account')), null);
});

scenario('those who run the instance find, suspend and delete channels, and visitors are told', async (world) => {
  const { weir, people, browser } = await house(world, ['ben']);
  for (let n = 0; n < 3; n += 1) {
    await weir.api('POST', '/api/v1/channels', { name: `stage${n}`, displayName: `Stage ${n}` }, people.ben.cookie);
  }
  const visitor = await world.page(browser, `${weir.origin}/stage1`, { context: await browser.createBrowserContext() });
  await says(visitor, 'main', 'Stage 1');
  const page = await world.page(browser, `${weir.origin}/admin`);
  await says(page, at('instance-channels'), '/stage2 · of @ben');
  await fill(page, at('channels-search'), 'stage 1');
  await until(page, () => document.querySelectorAll('[data-testid="instance-channels"] li').length === 1, { what: 'one is found' });
  assert.deepEqual(await namesOf(page, `${at('instance-channels')} button`), ['Suspend: stage1', 'Delete: stage1']);
  await surely(page, 'button[aria-label="Suspend: stage1"]');
  await says(page, at('instance-channels'), 'suspended');
  await says(visitor, 'main', 'This channel is suspended.');
  const settings = await pageOf(world, browser, weir, people.ben, `${weir.origin}/settings`);
  await openAll(settings);
  await says(settings, 'main', 'have suspended this channel');
  await click(page, 'button[aria-label="Let in again: stage1"]');
  await until(page, () => !document.querySelector('[data-testid="instance-channels"]').innerText.includes('suspended'), { what: 'let in again' });
  await visitor.reload();
  await says(visitor, 'main', 'Stage 1');
  await click(page, 'button[aria-label="Delete: stage1"]');
  await fill(page, at('erase-confirm'), 'stage1');
  await click(page, at('erase'));
  await says(page, 'main', 'No channel is called that here');
  await click(page, 'button[aria-label="Delete ben"]');
  await says(page, 'dialog[open]', 'Delete the account of ben?');
  await fill(page, at('erase-confirm'), 'ben');
  await click(page, at('erase'));
  await until(page, () => !document.querySelector('[data-testid="people"]').innerText.includes('@ben'), { what: 'they are gone' });
});

scenario('the menu leads to the desks that one moderates and to one’s page, which anybody may see', async (world) => {
  const { weir, owner, people, browser } = await house(world, ['ben']);
  await weir.api('PATCH', '/api/v1/me', { bio: 'Pots and pans' }, people.ben.cookie);
  await weir.api('POST', '/api/v1/channels', { name: 'kiln', displayName: 'The kiln' }, people.ben.cookie);
  await weir.api('PUT', '/api/v1/channels/ada/moderators/ben', {}, owner.cookie);
  const page = await pageOf(world, browser, weir, people.ben, weir.origin);
  await click(page, at('you'));
  await until(page, () => document.querySelector('[role="menu"]')?.innerText.includes('Moderate Ada'), { what: 'the desk is in the menu' });
  await page.evaluate(() => [...document.querySelectorAll('[role="menu"] button')].find((one) => one.innerText.includes('Moderate Ada')).click());
  await until(page, () => location.pathname === '/moderation/ada', { what: 'the desk' });
  const anybody = await world.page(browser, `${weir.origin}/people/ben`, { context: await browser.createBrowserContext() });
  await anybody.setViewport({ width: 390, height: 844 });
  await says(anybody, at('person'), 'Pots and pans');
  await says(anybody, at('their-channels'), 'The kiln');
  const overflow = await anybody.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
  await anybody.goto(`${weir.origin}/people/nobody`);
  await says(anybody, 'main', 'Nobody of this name is here');
});
