// Waiting is on conditions, never on time.

/** How often a page is asked whether a condition holds. */
export const POLLING = 50;

/** Waits until `condition` (run in the page) is true, and gives its value. */
export async function until(page, condition, { timeout = 10_000, what, args = [] } = {}) {
  try {
    const handle = await page.waitForFunction(condition, { polling: POLLING, timeout }, ...args);
    return await handle.jsonValue();
  } catch (error) {
    throw new Error(`${what ?? condition} did not come true within ${timeout} ms on ${page.url()}`, { cause: error });
  }
}

/** Asks again and again (for facts outside a page) until `ask` gives something true. */
export async function eventually(ask, { timeout = 10_000, what = 'it' } = {}) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`${what} did not come true within ${timeout} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLLING));
  }
}

/** Rejects when `promise` takes longer than `ms`. */
export function within(ms, promise, what = 'this') {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
