// A network that loses what it is told to lose: for what pages say when something doesn't come or isn't done.

/**
 * Takes a page's requests in hand. `lose(method, part)`: those whose path holds `part` get no answer from now on. `heal()`: all
 * get one again. Chromium only.
 */
export async function faults(page) {
  let lost = [];
  await page.setRequestInterception(true);
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    const is = ([method, part]) => request.method() === method && pathname.includes(part);
    if (lost.some(is)) request.abort('connectionrefused');
    else request.continue();
  });
  return {
    lose: (method, part) => { lost.push([method, part]); },
    heal: () => { lost = []; },
  };
}
