// What the measurements of all pages share.

import type { BrowserContext } from "@playwright/test";

/** Prints the median and the 95th percentile of what was measured. */
export function of(name: string, values: number[], unit = "ms"): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
  console.log(`${name}: median ${at(0.5)}, 95th ${at(0.95)} ${unit} (${values.length} times)`);
}

/**
 * Weighs what a browser that keeps nothing fetches from here on. The answer waits until nothing has come for three seconds, and is the bytes of the body by address, once
 * each: page and service worker ask for the same files side by side, and whoever is second has them from the cache.
 */
export function weighing(context: BrowserContext): () => Promise<Map<string, number>> {
  const fetched = new Map<string, number>();
  let finished = 0;
  context.on("requestfinished", async (request) => {
    finished += 1;
    const { responseBodySize } = await request.sizes();
    fetched.set(request.url(), Math.max(fetched.get(request.url()) ?? 0, responseBodySize));
  });
  return async () => {
    for (let before = -1; before !== finished; ) {
      before = finished;
      await new Promise((done) => setTimeout(done, 3_000));
    }
    return fetched;
  };
}

/** Bytes of all that was fetched, but for some addresses. */
export function bytesOf(fetched: Map<string, number>, without?: RegExp): number {
  return [...fetched].reduce((all, [url, bytes]) => (without?.test(url) ? all : all + bytes), 0);
}
