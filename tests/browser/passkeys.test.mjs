// Passkeys as people use them, with an authenticator that Chromium plays: added in settings, used to sign in, removed.
import assert from 'node:assert/strict';
import { scenario, until } from './harness.mjs';
import { at, click, fill, namesOf, says, signedIn, surely } from './lib/ui.mjs';

/** Browsers take passkeys for names alone. */
const named = (weir) => weir.origin.replace('127.0.0.1', 'localhost');

/** A device with a screen lock, as Chromium plays one for a page. */
async function authenticator(page) {
  const session = await page.createCDPSession();
  await session.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
  return {
    verifies: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  };
}

const isAt = (page, path) => until(page, (wanted) => location.pathname === wanted, { what: path, args: [path] });

/** Signs out, which leads to the page to sign in, and from there back. */
async function signOut(page) {
  await click(page, at('sign-out'));
  await isAt(page, '/sign-in');
}

for (const [kind, viewport] of [['a phone', { width: 390, height: 844 }], ['a desk', { width: 1280, height: 800 }]]) {
  scenario(`a passkey is added, signs in, is renamed and removed on ${kind}`, async (world) => {
    const weir = await world.weir();
    const owner = await weir.setUp();
    const site = named(weir);
    const browser = await world.chromium();
    await signedIn(browser.defaultBrowserContext(), { origin: site }, owner);
    const page = await world.page(browser);
    await page.setViewport(viewport);
    const device = await authenticator(page);
    await page.goto(`${site}/settings`);
    await fill(page, at('passkey-label'), 'My phone');
    await click(page, at('add-passkey'));
    await says(page, at('passkeys'), 'My phone');
    await says(page, at('passkeys'), 'Never used');
    assert.equal((await device.credentials()).length, 1);

    // A device that has one makes no second.
    await click(page, at('add-passkey'));
    await says(page, 'main', 'This device has a passkey for your account already');

    await signOut(page);
    await click(page, at('passkey-sign-in'));
    await isAt(page, '/settings');
    await says(page, 'main', 'Signed in as ada');
    await says(page, at('passkeys'), 'Used just now');
    await says(page, at('logins'), 'This browser');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);

    assert.deepEqual(await namesOf(page, `${at('passkeys')} button`), ['Rename the passkey “My phone”', 'Remove the passkey “My phone”']);
    await click(page, `${at('passkeys')} button[aria-label^="Rename"]`);
    await fill(page, at('passkey-rename'), '');
    await click(page, at('passkey-save'));
    await says(page, at('passkeys'), /can't be empty/i);
    await fill(page, at('passkey-rename'), 'The blue one');
    await page.keyboard.press('Enter');
    await until(page, () => document.querySelector('[data-testid="passkey-rename"]') === null, { what: 'renamed' });
    await says(page, at('passkeys'), 'The blue one');

    // Whoever can't unlock the device is not let in.
    await signOut(page);
    await device.verifies(false);
    await click(page, at('passkey-sign-in'));
    await says(page, 'main', 'No passkey was chosen');
    await device.verifies(true);
    await click(page, at('passkey-sign-in'));
    await isAt(page, '/settings');

    await surely(page, `${at('passkeys')} button[aria-label^="Remove"]`);
    await until(page, () => document.querySelector('[data-testid="passkeys"]') === null, { what: 'no passkey' });
    await signOut(page);
    await click(page, at('passkey-sign-in'));
    await says(page, 'main', "This passkey doesn't work here");
    // The password does.
    await fill(page, at('name'), 'ada');
    await fill(page, at('password'), owner.password);
    await click(page, at('sign-in'));
    await isAt(page, '/settings');
    await page.goto(`${site}/notifications`);
    await says(page, 'main', 'A passkey was removed: The blue one');
    // What the server refused on purpose, Chromium writes down as what didn't load.
    const errors = page.heard.filter((line) => line.startsWith('error:') && !/status of 4(01|22) /.test(line));
    assert.deepEqual(errors, []);
  });
}

scenario('at a numeric address nobody is offered what does not work there', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/sign-in`);
  await page.waitForSelector(at('sign-in'), { visible: true });
  assert.equal(await page.$(at('passkey-sign-in')), null);
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  await page.goto(`${weir.origin}/settings`);
  await says(page, 'main', 'This browser can\'t make one here');
  assert.equal(await page.$(at('add-passkey')), null);
});

scenario('Firefox offers passkeys, too', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const site = named(weir);
  const browser = await world.firefox();
  const page = await world.page(browser, `${site}/sign-in?return=/settings`);
  await page.waitForSelector(at('passkey-sign-in'), { visible: true });
  await fill(page, at('name'), 'ada');
  await fill(page, at('password'), owner.password);
  await click(page, at('sign-in'));
  await isAt(page, '/settings');
  await page.waitForSelector(at('add-passkey'), { visible: true });
});
