// What was done, as those see it who answer for it: found by who and what, page by page, and kept as a file. And webhooks.
import assert from 'node:assert/strict';
import { scenario, until } from './harness.mjs';
import { at, click, fill, says, signedIn, surely } from './lib/ui.mjs';

scenario('those who run the instance find what was done, on a phone, too', async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  for (let n = 0; n < 60; n += 1) {
    await weir.api('PATCH', '/api/v1/channels/ada', { title: `Title ${n}` }, owner.cookie);
  }
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/admin/audit`);
  await page.setViewport({ width: 390, height: 844 });
  await says(page, at('audit'), 'changed how the instance runs');
  const entries = () => page.$$eval(`${at('audit')} > li`, (all) => all.length);
  assert.equal(await entries(), 50);
  await click(page, at('audit-older'));
  await says(page, at('audit'), 'made the channel');
  assert.equal(await entries(), 13);
  await click(page, at('audit-newer'));
  await says(page, at('audit'), 'changed how the instance runs');
  // By keyboard, a key that is pressed once more at the end does nothing, and not the opposite.
  await page.focus(at('audit-older'));
  await page.keyboard.press('Enter');
  await says(page, at('audit'), 'made the channel');
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('[data-testid="audit-older"]').disabled, { what: 'nothing is older' });
  assert.equal(await entries(), 13);
  await page.focus(at('audit-newer'));
  await page.keyboard.press('Enter');
  await says(page, at('audit'), 'changed how the instance runs');
  assert.ok(await page.$eval(at('audit-newer'), (button) => button.disabled), 'nothing is newer');
  await page.select(at('audit-action'), 'instance');
  await until(page, () => document.querySelectorAll('[data-testid="audit"] > li').length === 1, { what: 'one is left' });
  await fill(page, at('audit-actor'), 'nobody');
  await says(page, 'main', 'Nothing of this kind was done');
  const csv = await page.$eval(at('audit-csv'), (link) => link.href);
  assert.ok(csv.includes('/api/v1/audit.csv?') && csv.includes('actor=nobody') && csv.includes('action=instance'), csv);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
});

scenario("a channel's owner has events sent elsewhere, and sees what became of them", async (world) => {
  const weir = await world.weir();
  const owner = await weir.setUp();
  const browser = await world.chromium();
  await signedIn(browser.defaultBrowserContext(), weir, owner);
  const page = await world.page(browser, `${weir.origin}/settings`);
  await page.waitForSelector('details details summary', { visible: true });
  await page.evaluate(() => {
    [...document.querySelectorAll('details details')].find((one) => one.innerText.includes('Webhooks')).open = true;
  });
  await fill(page, at('webhook-url'), 'https://127.0.0.1/x');
  await click(page, at('create-webhook'));
  await says(page, 'main', 'not on the public internet');
  await fill(page, at('webhook-url'), 'https://localhost/x');
  await click(page, at('create-webhook'));
  await page.waitForSelector(at('webhook-secret'));
  const secret = () => page.$eval(at('webhook-secret'), (field) => field.value);
  const first = await secret();
  assert.match(first, /^whsec_/);
  await says(page, at('webhooks'), 'Works');

  // It is shown this once: what else is done doesn't lose it, and another one takes its place.
  await click(page, at('try-webhook'));
  await says(page, '.toasts', 'Sent: see what became of it');
  const expanded = () => page.$eval(at('what-was-sent'), (button) => button.getAttribute('aria-expanded'));
  assert.equal(await expanded(), 'false');
  await click(page, at('what-was-sent'));
  await says(page, at('deliveries'), 'Ping');
  assert.equal(await expanded(), 'true');
  assert.equal(await secret(), first);
  await surely(page, at('replace-secret'));
  await until(page, (before) => document.querySelector('[data-testid="webhook-secret"]').value !== before, {
    what: 'another secret', args: [first],
  });
  assert.match(await secret(), /^whsec_/);
  await click(page, at('put-away'));
  await until(page, () => document.querySelector('[data-testid="webhook-secret"]') === null, { what: 'it is out of sight' });
  await surely(page, at('remove-webhook'));
  await until(page, () => document.querySelector('[data-testid="webhooks"]') === null, { what: 'no webhook' });
  await page.goto(`${weir.origin}/settings/audit/ada`);
  await says(page, at('audit'), 'made a webhook');
});
