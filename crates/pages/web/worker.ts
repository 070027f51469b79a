// The service worker: keeps what the page is made of, so that it opens without a network. It never keeps an answer of a service.

declare const self: ServiceWorkerGlobalScope;

/** What the page opens with. */
const FILES: string[] = "__FILES__" as unknown as string[];
/** What only some of its screens need: fetched once the page asks for it, so that opening it the first time costs no more. */
const LATER: string[] = "__LATER__" as unknown as string[];
/** What is fetched one by one, and kept from then on: nobody needs all of it. */
const SINGLY: string[] = "__SINGLY__" as unknown as string[];
const ALL = [...FILES, ...LATER, ...SINGLY].join("|");
const NAME = `page-${ALL.length}-${hash(ALL)}`;

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
      const cache = await caches.open(NAME);
      for (const name of await caches.keys()) {
        if (name === NAME) continue;
        // Names hold digests: what is still of the same name need not be fetched again.
        const old = await caches.open(name);
        for (const file of [...LATER, ...SINGLY]) {
          const kept = await old.match(file);
          if (kept) await cache.put(file, kept);
        }
        await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

async function fetchTheRest(): Promise<void> {
  const cache = await caches.open(NAME);
  for (const file of LATER) if (!(await cache.match(file))) await cache.add(file);
}

self.addEventListener("message", (event) => {
  if (event.data === "take over") void self.skipWaiting();
  // Without a network it is asked for again at the next visit.
  if (event.data === "fetch the rest") event.waitUntil(fetchTheRest().catch(() => undefined));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(NAME);
      const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
      if (kept) return kept;
      const answer = await fetch(request);
      // A storage that is full takes nothing away: it is fetched again at the next time.
      if (answer.ok && isSingle(request)) await cache.put(request, answer.clone()).catch(() => undefined);
      return answer;
    })(),
  );
});

function isSingle({ url }: Request): boolean {
  return SINGLY.some((file) => new URL(file, self.location.href).href === url);
}

export {};
