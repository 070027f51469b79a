// The console's page.

import { render } from "preact";

import { App } from "./app.tsx";

const app = document.getElementById("app");
if (app) render(<App />, app);

if ("serviceWorker" in navigator && import.meta.env.PROD) {
  void navigator.serviceWorker.register("./worker.js", { type: "module" });
}
