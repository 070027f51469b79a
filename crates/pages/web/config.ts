// How every page is built: relative addresses, names with digests, nothing inline, and a service worker that knows its files.

import type { Plugin, UserConfig } from "vite";

/**
 * Tells the service worker what the page is made of, and when that is something else; `later` are names of files that may wait,
 * `singly` names of files of which each is kept once the page has asked for it.
 */
function filesForWorker(later: readonly string[], singly: readonly string[]): Plugin {
  return {
    name: "files-for-worker",
    apply: "build",
    generateBundle(_, bundle) {
      const worker = bundle["worker.js"];
      if (worker?.type !== "chunk") throw new Error("no service worker was built");
      const files = Object.keys(bundle).filter((name) => name !== "worker.js");
      files.push("manifest.webmanifest", "icon.svg");
      // Names hold digests, so that the list is another one whenever the content is.
      const isOf = (names: readonly string[]) => (file: string) => names.some((name) => file.startsWith(`assets/${name}-`));
      const atOnce = files.filter((file) => !isOf([...later, ...singly])(file));
      const lists = {
        FILES: ["./", ...atOnce.sort()],
        LATER: files.filter(isOf(later)).sort(),
        SINGLY: files.filter(isOf(singly)).sort(),
      };
      for (const [list, names] of Object.entries(lists)) {
        const place = new RegExp(`["'\`]__${list}__["'\`]`);
        if (!place.test(worker.code)) throw new Error("the service worker has no place for its files");
        worker.code = worker.code.replace(place, JSON.stringify(names));
      }
      if (lists.LATER.length !== later.length) throw new Error(`not every file that may wait was built: ${lists.LATER.join(", ")}`);
    },
  };
}

/**
 * A page of `index.html` and `src/worker.ts`, whose service worker leaves the files of the names `later` until the page asks for
 * them all, and those of the names `singly` until it asks for each.
 */
export const pageWith = (later: readonly string[], singly: readonly string[] = []): UserConfig => ({
  base: "./",
  plugins: [filesForWorker(later, singly)],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: "index.html", worker: "src/worker.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "worker" ? "worker.js" : "assets/[name]-[hash].js"),
      },
    },
  },
});

/** A page that keeps all of its files at once. */
export const page = pageWith([]);
