// The service worker: keeps what the page is made of, so that it opens without a network. It never keeps an answer of a service.

declare const self: ServiceWorkerGlobalScope;

const FILES: string[] = "__FILES__" as unknown as string[];
const NAME = `page-${FILES.join("|").length}-${hash(FILES.join("|"))}`;

/** A short name for a list of files; not for security. */
function hash(text: string): string {
  let value = 5381;
  for (const char of text) value = ((value << 5) + value + (char.codePointAt(0) ?? 0)) >>> 0;
  return value.toString(16);
}

self.addEventListener("install", (event) => {
  // All or nothing: an update that was interrupted leaves the old page whole.
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(NAME);
      const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
      return kept ?? fetch(request);
    })(),
  );
});

export {};
