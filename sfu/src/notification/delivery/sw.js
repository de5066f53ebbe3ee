// Weir's service worker: shows what the server pushes while no page is open, and opens the page that it leads to.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    // A push service may ring without a word.
  }
  event.waitUntil(show(told));
});

async function show({ id: tag = 'weir', title = 'Weir', body = '', icon, url = '/', at }) {
  const before = await self.registration.getNotifications({ tag });
  // The same, should it come twice, takes its own place without a sound; what is new of it makes one.
  const renotify = !before.some((one) => one.data?.at === at);
  await self.registration.showNotification(title, { body, tag, icon: icon || undefined, renotify, data: { url, at } });
}

// The browser's push service gives it another address now and then, also while no page is open.
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribe(event.newSubscription)));

async function subscribe(given) {
  const { key } = await (await fetch('/api/v1/push')).json();
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const { endpoint, keys } = (given || await self.registration.pushManager.subscribe(options)).toJSON();
  const headers = { 'content-type': 'application/json' };
  await fetch('/api/v1/me/push', { method: 'POST', headers, body: JSON.stringify({ endpoint, keys }) });
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, self.location.origin);
  if (url.origin !== self.location.origin) return;
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const there = pages.find((page) => new URL(page.url).pathname === url.pathname);
    if (there) await there.focus();
    else await self.clients.openWindow(url.href);
  })());
});
