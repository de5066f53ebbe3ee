// Signing in and out, logins, and texts that look like HTML.
import assert from 'node:assert/strict';
import { scenario, until } from './harness.mjs';
import { at, click, fill, says, signedIn, surely } from './lib/ui.mjs';

scenario('sign in, see where, sign out elsewhere, sign out', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium();
  const page = await world.page(browser, weir.origin);
  await click(page, at('to-sign-in'));
  await fill(page, at('name'), owner.name);
  await fill(page, at('password'), 'wrong horse battery');
  await click(page, `button${at('sign-in')}`);
  await page.waitForSelector('[role="alert"]', { visible: true });
  await fill(page, at('password'), owner.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector(at('you'), { visible: true });

  await page.goto(`${weir.origin}/settings`);
  await until(page, () => document.querySelectorAll('[data-testid="logins"] li').length === 2, { what: 'two logins' });
  await says(page, at('logins'), 'This browser');
  await surely(page, `${at('logins')} button`);
  await until(page, () => document.querySelectorAll('[data-testid="logins"] li').length === 1, { what: 'one login' });
  assert.equal((await weir.api('GET', '/api/v1/me', undefined, owner.cookie)).status, 401, 'revoked');

  await click(page, at('sign-out'));
  await page.waitForSelector(at('to-sign-in'), { visible: true });
  await page.goto(`${weir.origin}/studio`);
  await until(page, () => location.pathname === '/sign-in', { what: 'to sign in first' });
  // And back to where one wanted to go.
  await fill(page, at('name'), owner.name);
  await fill(page, at('password'), owner.password);
  await page.keyboard.press('Enter');
  await until(page, () => location.pathname === '/studio', { what: 'the studio' });
});

scenario('a set-up link works once, and a form says what is wrong with which field', async (world) => {
  const weir = await world.weir();
  const browser = await world.chromium();
  const { url } = await weir.setUpLink();
  const page = await world.page(browser, url);
  await fill(page, at('name'), 'ada lovelace');
  await fill(page, at('display-name'), 'Ada');
  await fill(page, at('password'), 'short');
  await fill(page, at('channel'), 'studio');
  await click(page, at('set-up'));
  for (const id of ['name', 'password', 'channel']) {
    await until(page, (wanted) => {
      const field = document.querySelector(`[data-testid="${wanted}"]`);
      const note = document.getElementById(field.getAttribute('aria-describedby'));
      return field.getAttribute('aria-invalid') === 'true' && note?.innerText.length > 10;
    }, { what: `an error at ${id}`, args: [id] });
  }
  await fill(page, at('name'), 'ada');
  await fill(page, at('password'), 'correct horse battery');
  await fill(page, at('channel'), 'ada');
  await page.keyboard.press('Enter');
  await until(page, () => location.pathname.startsWith('/studio'), { what: 'the studio' });
  await page.goto(url);
  await says(page, 'main', 'set up already');
});

scenario('HTML in every text field is shown as the text it is', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const html = '<img src=x onerror="window.hacked=1"><b>bold</b>';
  const short = '<b onclick=alert(1)>x</b>';
  const change = await weir.api('PATCH', '/api/v1/channels/ada', {
    title: html, description: `${html}\n<script>window.hacked=1</script>`, displayName: short, category: short, tags: ['<i>tag</i>'],
  }, owner.cookie);
  assert.equal(change.status, 200);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser);
  const shows = (text) => until(page, (wanted) => document.body.innerText.includes(wanted)
    || [...document.querySelectorAll('input, textarea')].some((field) => field.value.includes(wanted)), {
    what: `${page.url()} shows ${text}`, args: [text],
  });
  const visits = { '/': [html, short], '/ada': [html, short, '<i>tag</i>', '<script>'], '/studio': [html, '<i>tag</i>'], '/settings': [html, short, '<script>'] };
  for (const [path, texts] of Object.entries(visits)) {
    await page.goto(weir.origin + path);
    for (const text of texts) await shows(text);
    const clean = await page.evaluate(() => window.hacked === undefined
      && !document.querySelector('img[src="x"], main b[onclick], main script, main i'));
    assert.ok(clean, `${path} is made of what was typed`);
    assert.ok(!(await page.title()).includes('&lt;'), 'the tab\'s title is not escaped twice');
  }
});
