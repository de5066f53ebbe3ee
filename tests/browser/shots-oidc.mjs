// Pictures of signing in by a provider, to be looked at: node shots-oidc.mjs FOLDER
// 390, 1024 and 1600 px, dark and light. Not a test: it asserts nothing but that each state is reached.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { World } from './harness.mjs';
import { serveProvider } from './lib/provider.mjs';
import { at, click, says, signedIn } from './lib/ui.mjs';

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node shots-oidc.mjs FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

async function shoot(page, name) {
  for (const [width, height] of [[390, 844], [1024, 768], [1600, 1000]]) {
    await page.setViewport({ width, height });
    for (const scheme of ['dark', 'light']) {
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ]);
      await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
      await page.screenshot({ path: join(resolve(folder), `${name}-${width}-${scheme}.png`), fullPage: true });
    }
  }
  console.log(name);
}

const world = new World();
try {
  const provider = await serveProvider([{ sub: 'a', preferred_username: 'ada', name: 'Ada' }, { sub: 'b', preferred_username: 'zoe', name: 'Zoë' }]);
  world.closing.push(provider);
  const weir = await world.weir({ env: provider.env });
  const owner = await weir.setUp();
  await weir.api('PATCH', '/api/v1/instance/settings', { signUp: 'open' }, owner.cookie);
  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/sign-in`);
  await page.waitForSelector(at('continue-with'), { visible: true });
  await shoot(page, 'sign-in');
  await page.goto(`${weir.origin}/sign-in?trouble=unreachable`);
  await page.waitForSelector(at('oidc-trouble'), { visible: true });
  await shoot(page, 'trouble');
  await page.goto(`${weir.origin}/sign-up`);
  await page.waitForSelector(at('continue-with'), { visible: true });
  await shoot(page, 'sign-up');
  await click(page, at('continue-with'));
  await page.waitForSelector('#a');
  await page.click('#a');
  await page.waitForSelector(at('choose-name'), { visible: true });
  await shoot(page, 'name');
  await page.goto(`${weir.origin}/sign-in`);
  await click(page, at('continue-with'));
  await page.waitForSelector('#b');
  await page.click('#b');
  await page.waitForFunction(() => location.pathname === '/');
  await page.goto(`${weir.origin}/settings`);
  await says(page, at('provider'), 'Connected as zoe');
  await shoot(page, 'settings-only-way');
  const context = await browser.createBrowserContext();
  await signedIn(context, weir, owner);
  const mine = await world.page(browser, `${weir.origin}/settings`, { context });
  await says(mine, at('provider'), 'Connect The club');
  await shoot(mine, 'settings-unconnected');
} finally {
  await world.close();
}
