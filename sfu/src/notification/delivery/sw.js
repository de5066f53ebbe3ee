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
  // The same notification, should it come twice, takes its own place.
  event.waitUntil(self.registration.showNotification(told.title || 'Weir', {
    body: told.body || '', tag: told.id || 'weir', icon: told.icon || undefined, data: { url: told.url || '/' },
  }));
});

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
