// The app's pages as a person uses them.
import { POLLING, eventually, until, within } from './wait.mjs';

/** The element with a test id. */
export const at = (id) => `[data-testid="${id}"]`;

/** Waits for an element and clicks it, as a person would once it is there and not disabled. */
export async function click(page, selector, { timeout = 10_000 } = {}) {
  await until(page, (wanted) => {
    const element = document.querySelector(wanted);
    if (!element || element.disabled || element.getClientRects().length === 0) return false;
    // What lies under the bar of a phone is brought into sight first.
    const { left, top, width, height } = element.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    if (hit && !element.contains(hit) && hit.closest('.bottom-bar')) element.scrollIntoView({ block: 'center' });
    return true;
  }, { what: `${selector} ready to be pressed`, timeout, args: [selector] });
  await page.click(selector);
}

/**
 * Waits for an element on a page that nobody has touched. What puppeteer runs in a page counts as a person's gesture, after
 * which the browser lets sound play; this doesn't. Chromium only.
 */
export async function appearsUntouched(page, selector, { timeout = 10_000 } = {}) {
  const session = await page.createCDPSession();
  const expression = `document.querySelector(${JSON.stringify(selector)}) !== null`;
  await eventually(async () => (await session.send('Runtime.evaluate', { expression })).result.value === true, {
    what: `${selector} on an untouched page`, timeout,
  });
  await session.detach();
}

/** Types into a field in place of what is there. */
export async function fill(page, selector, text) {
  await page.waitForSelector(selector, { visible: true });
  await page.$eval(selector, (field) => {
    field.focus();
    field.select();
  });
  if (text) await page.keyboard.type(text);
  else await page.keyboard.press('Backspace');
}

/** Waits until the text of an element holds `wanted` (a text or a pattern). */
export function says(page, selector, wanted, options = {}) {
  const [source, flags] = wanted instanceof RegExp ? [wanted.source, wanted.flags] : [escape(wanted), ''];
  return until(page, (where, pattern, modifiers) => {
    const element = document.querySelector(where);
    return element && new RegExp(pattern, modifiers).test(element.innerText) ? element.innerText : false;
  }, { what: `${selector} says ${wanted}`, ...options, args: [selector, source, flags] });
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Waits until the player is in a state: connecting, live, waiting, ended, offline or error. */
export function playerIs(page, state, options = {}) {
  return until(page, (wanted) => document.querySelector('[data-testid="player"]')?.dataset.state === wanted, {
    what: `the player is ${state}`, ...options, args: [state],
  });
}

/** Signs a browser context in by cookie, as a login of earlier would be there. */
export async function signedIn(context, weir, owner) {
  await context.setCookie({ ...owner.cookie, domain: new URL(weir.origin).hostname, path: '/', httpOnly: true, sameSite: 'Lax' });
}

/** Goes live in a studio that is open. */
export async function goLive(page) {
  await click(page, at('go-live'), { timeout: 15_000 });
  await says(page, at('stage'), 'Live', { timeout: 15_000 });
}

/** Ends a broadcast without the moment to undo. */
export async function end(page) {
  await click(page, at('end'));
  await click(page, at('end-now'));
  await page.waitForSelector(at('go-live'), { visible: true });
}

/**
 * The documents of a page's frames, whose elements `holders` find. Now and then, on a busy machine, what is asked of a frame that
 * Chromium was just giving to another site's process is never answered; then the page is loaded again.
 */
export async function documentsOf(page, holders) {
  for (let attempt = 1; ; attempt += 1) {
    const frames = [];
    for (const holder of holders) {
      const element = await holder();
      frames.push(await eventually(() => element.contentFrame(), { what: 'a frame has a document' }));
    }
    const isThere = () => location.protocol.startsWith('http') && document.readyState !== 'loading';
    const answers = frames.map((frame) => within(6000, frame.waitForFunction(isThere, { polling: POLLING, timeout: 5000 })));
    const silent = (await Promise.allSettled(answers)).some((answer) => answer.status === 'rejected');
    if (!silent || attempt === 3) return frames;
    await page.reload({ waitUntil: 'domcontentloaded' });
  }
}
