// Figures of the gate's page: `npm run figures --workspace tests/pages`. They are printed, and nothing fails for being slow.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, expect, test, type Page } from "@playwright/test";
import { encode } from "uqr";

import config from "./playwright.config.ts";
import { bytesOf, of, weighing } from "./figures.ts";
import { film, frame, type Look } from "./frames.ts";
import { Checkpoint, vector } from "./gate.ts";

test.skip(!process.env.FIGURES, "asked for by FIGURES=1");
test.setTimeout(900_000);

const RUNS = 30;

async function opened(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.getByTestId("state")).toContainText("更新于");
}

test("what the page weighs, and when it can be used on a phone four times slower", async ({ browser }) => {
  const times: number[] = [];
  for (let run = 0; run < 10; run++) {
    const checkpoint = await Checkpoint.start();
    const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
    const page = await context.newPage();
    const weight = weighing(context);
    const devtools = await context.newCDPSession(page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    const begun = Date.now();
    await opened(page, checkpoint.url);
    times.push(Date.now() - begun);
    if (run === 0) {
      const fetched = await weight();
      console.log(`page with everything: ${bytesOf(fetched)} bytes, not compressed; without the reader of codes ${bytesOf(fetched, /reader/)}`);
    }
    await context.close();
    await checkpoint.stop();
  }
  of("opened with a trust list in use, CPU four times slower, nothing kept", times);
});

test("how long a verdict takes from the text, cold and warm", async ({ browser }) => {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const checkpoint = await Checkpoint.start();
    const page = await browser.newPage();
    await opened(page, checkpoint.url);
    const timed = async (text: string) => {
      await page.getByLabel("扫码枪或粘贴").fill(text);
      return page.evaluate(
        () =>
          new Promise<number>((done) => {
            const begun = performance.now();
            new MutationObserver((_, observer) => {
              if (!document.querySelector(".result")) return;
              observer.disconnect();
              done(performance.now() - begun);
            }).observe(document.body, { childList: true, subtree: true });
            document.querySelector<HTMLInputElement>("main form input")!.form!.requestSubmit();
          }),
      );
    };
    cold.push(await timed(vector("a good pass").text));
    await page.waitForTimeout(500); // a verdict is not put away before it was seen
    await page.getByRole("button", { name: "下一位" }).click();
    warm.push(await timed(vector("rules of the nation").text));
    await page.close();
    await checkpoint.stop();
  }
  of("text to verdict on the screen, what is remembered kept, first code", cold);
  of("the same, second code", warm);
});

async function behind(frames: Uint8Array[], use: (page: Page) => Promise<void>): Promise<void> {
  const path = join(mkdtempSync(join(tmpdir(), "film-")), "camera.y4m");
  film(path, frames);
  const { launchOptions } = config.use!;
  const args = [
    ...(launchOptions?.args ?? []),
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-video-capture=${path}`,
  ];
  const browser = await chromium.launch({ ...launchOptions, args });
  await use(await browser.newPage({ viewport: { width: 360, height: 720 } }));
  await browser.close();
}

test("how long a verdict takes from a frame in which the code can be read", async () => {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const checkpoint = await Checkpoint.start();
    await behind([frame(vector("a good pass").text)], async (page) => {
      await page.addInitScript(() => {
        const post = Worker.prototype.postMessage;
        // Frames are read one at a time, and go on being read while a verdict is reached: the one counts that the code was read in.
        const times = { frame: 0, verdict: 0 };
        Object.assign(globalThis, { times });
        const heard = new WeakSet<Worker>();
        let sent = 0;
        Worker.prototype.postMessage = function (this: Worker, ...all: unknown[]) {
          sent = performance.now();
          if (!heard.has(this)) {
            heard.add(this);
            this.addEventListener("message", ({ data }) => {
              if (data && !times.frame) times.frame = sent;
            });
          }
          return Reflect.apply(post, this, all);
        };
        new MutationObserver(() => {
          if (document.querySelector(".result") && !times.verdict) times.verdict = performance.now();
        }).observe(document, { childList: true, subtree: true });
      });
      await opened(page, checkpoint.url);
      await page.getByRole("button", { name: "打开摄像头" }).click();
      await expect(page.getByTestId("result")).toBeVisible({ timeout: 20_000 });
      times.push(
        await page.evaluate(() => {
          const { times } = globalThis as unknown as { times: { frame: number; verdict: number } };
          return times.verdict - times.frame;
        }),
      );
    });
    await checkpoint.stop();
  }
  of("frame to verdict on the screen", times);
});

test("how many frames are read of a set of bad ones", async ({ browser }) => {
  const text = vector("a good pass").text;
  const code = encode(text, { ecc: "M", border: 0 });
  console.log(`a showing: ${text.length} characters, ${code.size} × ${code.size} modules (version ${code.version}-M)`);
  const looks: [string, Look[]][] = [
    ["out of focus", [1, 2, 3].flatMap((blur) => [4, 5, 6].map((scale) => ({ blur, scale })))],
    ["noisy", [20, 40, 60, 80, 100].flatMap((noise) => [3, 5].map((scale) => ({ noise, scale })))],
    ["of low contrast", [0.5, 0.25, 0.12, 0.06].flatMap((contrast) => [3, 5].map((scale) => ({ contrast, scale, noise: 4 })))],
    ["all of it", [1, 2].flatMap((blur) => [15, 30].flatMap((noise) => [0.5, 0.25].map((contrast) => ({ blur, noise, contrast, scale: 5 }))))],
  ];
  const checkpoint = await Checkpoint.start();
  const page = await browser.newPage();
  await opened(page, checkpoint.url);
  const script = await page.evaluate(async () => {
    const main = await (await fetch(document.querySelector("script")!.src)).text();
    return new URL(/assets\/reader-[\w-]+\.js|reader-[\w-]+\.js/.exec(main)![0].replace("assets/", ""), document.querySelector("script")!.src).href;
  });
  for (const [name, all] of looks) {
    let read = 0;
    for (const look of all) {
      const grey = [...frame(text, look)];
      read += await page.evaluate(
        ([script, grey, text]) =>
          new Promise<number>((done) => {
            const worker = new Worker(script as string, { type: "module" });
            worker.onmessage = (event) => {
              worker.terminate();
              done(event.data === text ? 1 : 0);
            };
            const image = new ImageData(640, 480);
            (grey as number[]).forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
            worker.postMessage(image);
          }),
        [script, grey, text] as const,
      );
    }
    console.log(`frames read, ${name}: ${read} of ${all.length}`);
  }
  await checkpoint.stop();
});
