import { defineConfig } from "@playwright/test";

// What is measured here is not the machine: times are long, and nothing fails for being slow.
export default defineConfig({
  testDir: ".",
  outputDir: "../../target/pages-tests",
  // Files side by side, each with programs of its own: a good part of a test is waiting for what happens each half minute.
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 360, height: 720 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox", // of no use to a page that the test itself serves, and not to be had as root
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--autoplay-policy=no-user-gesture-required",
      ],
    },
  },
});
