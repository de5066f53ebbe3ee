// A room, and the people in it.
import { at, click, fill, says } from './ui.mjs';
import { until } from './wait.mjs';

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1366, height: 900 };

/** Somebody who writes by REST: a guest, or whoever `cookie` is signed in as. */
export class Person {
  constructor(weir, channel, { cookie, token, author }) {
    Object.assign(this, { weir, channel, cookie, token, author });
  }

  /** A guest; from `address`, as a proxy on this machine says. */
  static async guest(weir, channel, name, address) {
    const headers = { origin: weir.origin, 'content-type': 'application/json', ...(address ? { 'x-forwarded-for': address } : {}) };
    const answer = await fetch(`${weir.origin}/api/v1/chat/guests`, { method: 'POST', headers, body: JSON.stringify({ name }) });
    if (answer.status !== 201) throw new Error(`no guest: ${await answer.text()}`);
    return Object.assign(new Person(weir, channel, await answer.json()), { address });
  }

  #ask(method, path, body) {
    return fetch(`${this.weir.origin}/api/v1/channels/${this.channel}/chat${path}`, {
      method,
      headers: {
        origin: this.weir.origin,
        'content-type': 'application/json',
        ...(this.token ? { 'weir-guest': this.token } : {}),
        ...(this.address ? { 'x-forwarded-for': this.address } : {}),
        ...(this.cookie ? { cookie: `${this.cookie.name}=${this.cookie.value}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** Writes; gives what the server says of it. */
  async write(text, more = {}) {
    const answer = await this.#ask('POST', '/messages', { text, ...more });
    if (![201, 202].includes(answer.status)) throw new Error(`“${text}” was answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  delete(id) {
    return this.#ask('DELETE', `/messages/${id}`);
  }

  silence(person, seconds) {
    return this.#ask('POST', '/silences', { person, seconds });
  }

  lift(person) {
    return this.#ask('DELETE', `/silences/${person}`);
  }

  rules(rules) {
    return this.#ask('PATCH', '', rules);
  }

  filters(filters) {
    return this.#ask('PUT', '/filters', filters);
  }

  command(text) {
    return this.#ask('POST', '/commands', { text });
  }

  pin(message) {
    return this.#ask('PUT', '/pin', { message });
  }

  async held() {
    return (await (await this.#ask('GET', '/held?limit=200')).json()).items;
  }

  async actions() {
    return (await (await this.#ask('GET', '/actions?limit=200')).json()).items;
  }
}

/** A page's chat takes a guest's name. */
export async function becomeGuest(page, name) {
  await fill(page, at('guest-name'), name);
  await page.keyboard.press('Enter');
  await page.waitForSelector(at('chat-text'), { visible: true });
}

/** Types into the composer and sends. */
export async function write(page, text) {
  await fill(page, at('chat-text'), text);
  await page.keyboard.press('Enter');
}

/** Waits until the log shows a line with `text`. */
export function shows(page, text, options = {}) {
  return until(page, (wanted) => [...document.querySelectorAll('[data-testid="chat-line"] .chat-text')]
    .some((line) => line.textContent.includes(wanted)), { what: `the chat shows “${text}”`, ...options, args: [text] });
}

/** Waits until no line has `text`. */
export function hides(page, text, options = {}) {
  return until(page, (wanted) => ![...document.querySelectorAll('[data-testid="chat-line"] .chat-text')]
    .some((line) => line.textContent.includes(wanted)), { what: `the chat no longer shows “${text}”`, ...options, args: [text] });
}

/** The texts of all lines, in order. */
export function lines(page) {
  return page.$$eval('[data-testid="chat-line"] .chat-text', (all) => all.map((line) => line.textContent));
}

/** Opens what can be done with the line that has `text`, as a keyboard does it. */
export async function openLine(page, text) {
  await page.evaluate((wanted) => {
    const line = [...document.querySelectorAll('[data-testid="chat-line"]')].find((one) => one.textContent.includes(wanted));
    line.focus();
  }, text);
  await page.keyboard.press('Enter');
  await page.waitForSelector(at('chat-sheet'), { visible: true });
}

export { at, click, fill, says };
