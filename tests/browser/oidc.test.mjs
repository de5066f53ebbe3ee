// Signing in by an OpenID provider, as people do it: for the first time, again, connected with an account, and while it is down.
import assert from 'node:assert/strict';
import { eventually, scenario, until } from './harness.mjs';
import { serveProvider } from './lib/provider.mjs';
import { at, click, fill, says, signedIn, surely } from './lib/ui.mjs';

const PEOPLE = [
  { sub: 'zoe', preferred_username: 'zoe', name: 'Zoë' },
  { sub: 'other-ada', preferred_username: 'ada', name: 'Ada' },
  { sub: 'boss', preferred_username: 'lovelace', name: 'Ada Lovelace' },
];

async function stage(world, mode = 'open') {
  const provider = await serveProvider(PEOPLE);
  world.closing.push(provider);
  const weir = await world.weir({ env: provider.env });
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: mode }, owner.cookie);
  return { provider, weir, owner };
}

const isAt = (page, path) => until(page, (wanted) => location.pathname + location.search === wanted, { what: `at ${path}`, args: [path] });
const opened = (page) => page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));

/** Presses the button, and signs in there as somebody. */
async function goOn(page, as, button = 'continue-with') {
  await click(page, at(button));
  await page.waitForSelector(`#${as}`, { visible: true });
  await page.click(`#${as}`);
}

async function fits(page) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
}

for (const [where, width, height] of [['a phone', 390, 844], ['a desk', 1440, 900]]) {
  scenario(`somebody new goes on with the provider, chooses a name, goes and comes back, on ${where}`, async (world) => {
    const { weir } = await stage(world);
    const browser = await world.chromium();
    const page = await world.page(browser);
    await page.setViewport({ width, height });
    await page.goto(`${weir.origin}/sign-in?return=/ada`);
    await says(page, at('continue-with'), 'Continue with The club');
    await fits(page);
    await goOn(page, 'other-ada');
    await isAt(page, '/sign-up/name');
    await says(page, 'main', 'You come from The club');
    assert.equal(await page.$eval(at('name'), (field) => field.value), 'ada');
    await fits(page);
    await click(page, at('choose-name'));
    await says(page, 'main', 'Somebody has this name already');
    await fill(page, at('name'), 'ada-of-the-club');
    await click(page, at('choose-name'));
    await says(page, 'main', 'could be taken for somebody else');
    await fill(page, at('display-name'), 'Grace');
    await click(page, at('choose-name'));
    await isAt(page, '/ada');
    const cookies = (await browser.defaultBrowserContext().cookies()).filter(({ name }) => name.startsWith('weir_'));
    assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [['weir_login', true, 'Lax']]);
    // The page has nothing to choose any more.
    await page.goto(`${weir.origin}/sign-up/name`);
    await isAt(page, '/');

    await page.goto(`${weir.origin}/settings`);
    await says(page, 'main', 'Signed in as ada-of-the-club');
    await says(page, at('provider'), 'Connected as ada just now');
    await says(page, at('provider'), 'It is your only way to sign in');
    assert.equal(await page.$eval(at('disconnect-oidc'), (button) => button.disabled), true);
    await fits(page);
    await click(page, at('sign-out'));
    // By way of another document, which is to be there before another one is asked for.
    await until(page, () => location.pathname === '/sign-in' && document.querySelector('[data-testid="sign-in"]') !== null, { what: 'signed out' });
    await page.goto(`${weir.origin}/sign-up`);
    await goOn(page, 'other-ada');
    await isAt(page, '/');
    assert.equal((await page.evaluate(() => fetch('/api/v1/me').then((answer) => answer.json()))).name, 'ada-of-the-club');

    // With a first password it is not the only way any more.
    await page.goto(`${weir.origin}/settings`);
    await page.waitForSelector(at('provider'));
    await opened(page);
    await says(page, 'main', 'You have none yet');
    assert.equal(await page.$(at('current-password')), null);
    await fill(page, at('new-password'), 'a few words of mine');
    await click(page, at('change-password'));
    await page.waitForSelector(at('current-password'), { visible: true });
    await surely(page, at('disconnect-oidc'));
    await says(page, at('provider'), 'Connect The club to sign in with it, too');
  });
}

scenario('an account is connected in the settings, and signs in so from then on', async (world) => {
  const { weir, owner } = await stage(world, 'closed');
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/settings`);
  await goOn(page, 'boss', 'connect-oidc');
  await says(page, '.toasts', 'Connected with The club');
  await says(page, at('provider'), 'Connected as lovelace just now');
  const stranger = await world.page(browser, `${weir.origin}/sign-in`, { context: await browser.createBrowserContext() });
  await goOn(stranger, 'zoe');
  await says(stranger, at('oidc-trouble'), 'new ones aren\'t made');
  await goOn(stranger, 'boss');
  await isAt(stranger, '/');
  await stranger.goto(`${weir.origin}/settings`);
  await says(stranger, 'main', 'Signed in as ada');
  await surely(page, at('disconnect-oidc'));
  await click(page, at('connect-oidc'));
  await page.waitForSelector('#zoe');
  await page.goBack();
  await says(page, at('provider'), 'Connect The club');
  // Whom the provider names has an account already: the page says so.
  await goOn(page, 'boss', 'connect-oidc');
  await says(page, at('provider'), 'Connected as lovelace');
  await page.goto(`${weir.origin}/admin/audit`);
  await says(page, 'main', 'connected a provider with');
});

scenario('a provider that is down is said to be, and a password is a way in all the same', async (world) => {
  const { provider, weir } = await stage(world);
  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/sign-in`);
  provider.down(true);
  await click(page, at('continue-with'));
  await says(page, 'main', 'does not answer at this moment');
  await until(page, () => !document.querySelector('[data-testid="continue-with"]').disabled, { what: 'it can be tried again' });
  provider.down(false);
  // The server asks a provider that was down again only after a moment. Presses are counted: each one is given its time.
  await eventually(async () => {
    const where = await until(page, () => {
      if (document.querySelector('#zoe')) return 'there';
      return document.querySelector('[data-testid="continue-with"]')?.disabled === false && 'here';
    }, { what: 'the provider, or the button' });
    if (where === 'there') return true;
    await page.click(at('continue-with'));
    return page.waitForSelector('#zoe', { visible: true, timeout: 500 }).catch(() => false);
  }, { what: 'the provider is back', timeout: 20_000 });
  // It goes down while somebody is there.
  const back = new URL(page.url());
  back.searchParams.set('as', 'zoe');
  const answer = await fetch(back, { redirect: 'manual' });
  provider.down(true);
  await page.goto(answer.headers.get('location'));
  await isAt(page, '/sign-in?return=%2F&trouble=unreachable');
  await says(page, at('oidc-trouble'), 'The club does not answer');
  await fill(page, at('name'), 'ada');
  await fill(page, at('password'), 'correct horse battery');
  await click(page, at('sign-in'));
  await isAt(page, '/');
});
