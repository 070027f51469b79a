// The gate's page behind a camera that plays frames of a code.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, expect, test, type Browser } from "@playwright/test";

import config from "./playwright.config.ts";
import { film, frame, type Look } from "./frames.ts";
import { Checkpoint, vector } from "./gate.ts";

const LOOKS: [string, Look][] = [
  ["sharp", {}],
  ["small", { scale: 4 }],
  ["out of focus", { blur: 2 }],
  ["noisy", { noise: 60 }],
  ["of low contrast", { contrast: 0.25 }],
  ["out of focus, noisy, of low contrast", { blur: 1, noise: 25, contrast: 0.4 }],
  ["mirrored", { mirrored: true }],
];

async function behind(frames: Uint8Array[], use: (browser: Browser) => Promise<void>): Promise<void> {
  const path = join(mkdtempSync(join(tmpdir(), "film-")), "camera.y4m");
  film(path, frames);
  const { launchOptions } = config.use!;
  const browser = await chromium.launch({
    ...launchOptions,
    args: [
      ...(launchOptions?.args ?? []),
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-video-capture=${path}`,
    ],
  });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

for (const [name, look] of LOOKS) {
  test(`a code that is ${name} is read from the camera and verified`, async () => {
    const checkpoint = await Checkpoint.start();
    await behind([frame(vector("a good pass").text, look)], async (browser) => {
      const page = await browser.newPage({ viewport: { width: 360, height: 720 } });
      await page.goto(checkpoint.url);
      await expect(page.getByTestId("state")).toContainText("更新于");
      await page.getByRole("button", { name: "打开摄像头" }).click();
      await expect(page.getByTestId("result")).toContainText("通行 PASS", { timeout: 20_000 });
      // The same frame is still there: shown again, it is refused.
      await page.waitForTimeout(450);
      await page.getByRole("button", { name: "下一位" }).click();
      await expect(page.getByTestId("result")).toContainText("REPLAYED", { timeout: 20_000 });
    });
    await checkpoint.stop();
  });
}

test("a code of another system is no pass, and half a code is nothing", async () => {
  const checkpoint = await Checkpoint.start();
  const half = frame(vector("a good pass").text);
  half.fill(255, half.length >> 1);
  const other = frame("https://example.org/code/1");
  await behind([...Array(15).fill(half), ...Array(15).fill(other)], async (browser) => {
    const page = await browser.newPage();
    await page.goto(checkpoint.url);
    await expect(page.getByTestId("state")).toContainText("更新于");
    await page.getByRole("button", { name: "打开摄像头" }).click();
    await expect(page.getByTestId("result")).toContainText("MALFORMED", { timeout: 20_000 });
  });
  await checkpoint.stop();
});

test("where nothing can be read for a while the page says what helps, and where the camera ends it says so", async () => {
  const checkpoint = await Checkpoint.start();
  const half = frame(vector("a good pass").text);
  half.fill(255, half.length >> 1);
  await behind([half], async (browser) => {
    const page = await browser.newPage({ viewport: { width: 360, height: 720 } });
    await page.goto(checkpoint.url);
    await expect(page.getByTestId("state")).toContainText("更新于");
    await page.getByRole("button", { name: "打开摄像头" }).click();
    const aim = page.getByTestId("aim");
    await expect(aim).toHaveText("将二维码置于框内");
    await expect(aim).toContainText("擦净镜头");
    await expect(aim).toContainText("粘贴");
    await page.getByRole("button", { name: "English" }).click();
    await expect(aim).toContainText("Hold the code closer");
    await page.getByRole("button", { name: "中文" }).click();
    await page.evaluate(() => {
      const { srcObject } = document.querySelector("video")!;
      (srcObject as MediaStream).getVideoTracks()[0]!.dispatchEvent(new Event("ended"));
    });
    await expect(page.getByRole("alert")).toContainText("摄像头已中断");
    await expect(aim).toHaveCount(0);
    await page.getByRole("button", { name: "打开摄像头" }).click();
    await expect(aim).toHaveText("将二维码置于框内");
    await expect(page.getByRole("alert")).toHaveCount(0);
  });
  await checkpoint.stop();
});

test("without leave to use the camera, or without one, the page says what to do", async () => {
  const checkpoint = await Checkpoint.start();
  const browser = await chromium.launch(config.use!.launchOptions!);
  const page = await browser.newPage();
  await page.goto(checkpoint.url);
  await expect(page.getByTestId("state")).toContainText("更新于");
  for (const [fault, text] of [
    ["NotAllowedError", "浏览器未允许使用摄像头"],
    ["NotFoundError", "没有可用的摄像头"],
    ["NotReadableError", "被其他程序占用"],
  ] as const) {
    await page.evaluate((name) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
    }, fault);
    await page.getByRole("button", { name: "打开摄像头" }).click();
    await expect(page.getByRole("alert")).toContainText(text);
  }
  await browser.close();
  await checkpoint.stop();
});
