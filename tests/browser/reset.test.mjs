// A new password: asked for on a phone, set by the letter's link on a desktop, or by a link from the shell.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, scenario, until } from './harness.mjs';
import { at, click, fill, says } from './lib/ui.mjs';

const BINARY = resolve(process.env.WEIR_BIN ?? resolve(dirname(fileURLToPath(import.meta.url)), '../../target/release/weir'));
const PHONE = { width: 390, height: 844 };
const NEW = 'another horse battery';

/** A mail server that keeps what it takes. */
async function mailServer() {
  const letters = [];
  const server = createServer((socket) => {
    let inLetter = false;
    let rest = '';
    const say = (line) => socket.write(`${line}\r\n`);
    say('220 mail.example ready');
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (inLetter) {
          if (line === '.') {
            inLetter = false;
            say('250 Taken');
          } else letters[letters.length - 1] += `${line}\r\n`;
        } else if (/^DATA/i.test(line)) {
          inLetter = true;
          letters.push('');
          say('354 Go on');
        } else if (/^QUIT/i.test(line)) {
          say('221 Bye');
          socket.end();
        } else say('250 OK');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return { url: `smtp://127.0.0.1:${server.address().port}`, letters };
}

/** The token of a link in a letter, whose soft line breaks are taken out. */
function token(letter, page) {
  const plain = letter.replaceAll('=\r\n', '').replaceAll('=3D', '=');
  return plain.match(new RegExp(`/${page}\\?token=([A-Za-z0-9_.-]+)`))?.[1];
}

/** Nothing is wider than the screen. */
async function fits(page) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
}

async function signsIn(page, weir, password) {
  await page.goto(`${weir.origin}/sign-in`);
  await page.waitForSelector(at('password'), { visible: true });
  await fill(page, at('name'), 'ada');
  await fill(page, at('password'), password);
  await click(page, at('sign-in'));
}

scenario('who forgot their password gets a letter, and a new one by its link', async (world) => {
  const mail = await mailServer();
  const weir = await world.weir({ env: { WEIR_SMTP_URL: mail.url, WEIR_SMTP_FROM: 'Weir <weir@tv.example>' } });
  const owner = await weir.setUp();
  await weir.api('PUT', '/api/v1/me/email', { address: 'ada@example.org' }, owner.cookie);
  const confirm = await eventually(() => mail.letters.map((letter) => token(letter, 'confirm-email')).find(Boolean), { what: 'the letter to confirm' });
  assert.equal((await weir.api('POST', '/api/v1/email/confirm', { token: confirm })).status, 204);

  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/sign-in`);
  await page.setViewport(PHONE);
  await page.waitForSelector('a[href="/reset-password"]', { visible: true });
  await page.click('a[href="/reset-password"]');
  await page.waitForSelector(at('reset-account'), { visible: true });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'account', 'one can type at once');
  await fits(page);
  // The answer is the same for somebody who isn't there.
  for (const who of ['nobody', 'ada']) {
    await page.goto(`${weir.origin}/reset-password`);
    await page.waitForSelector(at('reset-account'), { visible: true });
    await fill(page, at('reset-account'), who);
    await click(page, at('ask-reset'));
    await says(page, '.notice', 'Look at your e-mail.');
    await fits(page);
  }
  const link = await eventually(() => mail.letters.map((letter) => token(letter, 'reset-password')).find(Boolean), { what: 'the letter with the link' });
  assert.equal(mail.letters.filter((letter) => token(letter, 'reset-password')).length, 1);

  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(`${weir.origin}/reset-password?token=${link}`);
  await page.waitForSelector(at('new-password'), { visible: true });
  assert.equal(await page.evaluate(() => location.pathname + location.search), '/reset-password', 'the token is out of the address');
  await fill(page, at('new-password'), 'short');
  await click(page, at('set-password'));
  await page.waitForSelector('[role="alert"]', { visible: true });
  await fill(page, at('new-password'), NEW);
  await click(page, at('set-password'));
  await says(page, '.notice', 'Your password is set.');
  assert.equal((await weir.api('GET', '/api/v1/me', undefined, owner.cookie)).status, 401, 'the old login has ended');
  await signsIn(page, weir, NEW);
  await until(page, async () => (await fetch('/api/v1/me')).status === 200, { what: 'they are signed in' });

  // The link works once, and says so.
  await page.goto(`${weir.origin}/reset-password?token=${link}`);
  await page.waitForSelector(at('new-password'), { visible: true });
  await fill(page, at('new-password'), 'a third horse battery');
  await click(page, at('set-password'));
  await says(page, '[role="alert"]', 'It was used');
  await fits(page);
  await click(page, at('another-link'));
  await page.waitForSelector(at('reset-account'), { visible: true });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'account', 'one can type at once');
});

scenario('without a mail server the page says whom to ask, and a link from the shell works on a phone', async (world) => {
  const weir = await world.weir();
  await weir.setUp();
  const browser = await world.chromium();
  const page = await world.page(browser, `${weir.origin}/reset-password`);
  await page.setViewport(PHONE);
  await page.waitForSelector(at('reset-account'), { visible: true });
  await fill(page, at('reset-account'), 'ada');
  await click(page, at('ask-reset'));
  await until(page, () => document.body.innerText.includes('has set no mail server'), { what: 'it says why' });
  await fits(page);
  const { stdout } = await promisify(execFile)(BINARY, ['account', 'password', 'ada', '--json'], { env: weir.env });
  const { link } = JSON.parse(stdout);
  await page.goto(`${weir.origin}/reset-password${new URL(link).search}`);
  await page.waitForSelector(at('new-password'), { visible: true });
  await fits(page);
  await fill(page, at('new-password'), NEW);
  await page.keyboard.press('Enter');
  await says(page, '.notice', 'Your password is set.');
  await signsIn(page, weir, NEW);
  await until(page, async () => (await fetch('/api/v1/me')).status === 200, { what: 'they are signed in' });
});
