// How every page is built: relative addresses, names with digests, nothing inline, and a service worker that knows its files.

import type { Plugin, UserConfig } from "vite";

/** Tells the service worker what the page is made of, and when that is something else. */
function filesForWorker(): Plugin {
  return {
    name: "files-for-worker",
    apply: "build",
    generateBundle(_, bundle) {
      const worker = bundle["worker.js"];
      if (worker?.type !== "chunk") throw new Error("no service worker was built");
      const files = Object.keys(bundle).filter((name) => name !== "worker.js");
      files.push("manifest.webmanifest", "icon.svg");
      // Names hold digests, so that the list is another one whenever the content is.
      const place = /["'`]__FILES__["'`]/;
      if (!place.test(worker.code)) throw new Error("the service worker has no place for its files");
      worker.code = worker.code.replace(place, JSON.stringify(["./", ...files.sort()]));
    },
  };
}

/** A page of `index.html` and `src/worker.ts`. */
export const page: UserConfig = {
  base: "./",
  plugins: [filesForWorker()],
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
};
