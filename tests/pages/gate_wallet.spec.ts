// A gate that shows a challenge and a wallet that answers it, without a network on either side of the code.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, expect, test, type Browser, type BrowserContext, type Page } from "@playwright/test";

import config from "./playwright.config.ts";
import { film, frame } from "./frames.ts";
import { answered, clean, closed, next, opened, present, unlocked } from "./gate_page.ts";
import { Federation, installed, read, registered } from "./wallet.ts";

test.setTimeout(240_000);

const PERSON = 1;
/** Files that only a camera needs. */
const CAMERAS = /\/(scanner|reader|zxing_reader)-[^/]+$/;

let federation: Federation;
let gate: { url: string; stop: () => Promise<void> };
/** A browser whose camera plays what lies in `screen`. */
let browser: Browser;
let phone: BrowserContext;
const screen = join(mkdtempSync(join(tmpdir(), "film-")), "camera.y4m");
/** What the phone fetched before anybody registered on it. */
const first: string[] = [];

test.beforeAll(async () => {
  test.setTimeout(600_000);
  federation = await Federation.start();
  film(screen, [frame("https://example.org/nothing")]);
  const { launchOptions } = config.use!;
  browser = await chromium.launch({
    ...launchOptions,
    args: [
      ...(launchOptions?.args ?? []),
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-video-capture=${screen}`,
    ],
  });
  phone = await browser.newContext({ viewport: { width: 360, height: 720 } });
  phone.on("request", (request) => first.push(request.url()));
  const page = await phone.newPage();
  await page.goto(federation.url);
  await installed(page);
  phone.removeAllListeners("request");
  await registered(page, federation, PERSON);
  await page.close();
  await federation.do("commit");
  // Not before: then it has the list at once.
  gate = await federation.gate();
});
test.afterAll(async () => {
  await browser?.close();
  await gate?.stop();
  await federation?.stop();
});

/** The gate's page, showing challenges. */
async function gatePage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await opened(page, gate.url);
  await unlocked(page);
  await page.getByLabel("出示随机码").check();
  await closed(page);
  return page;
}

/** The wallet with a code on its screen. */
async function wallet(): Promise<Page> {
  const page = await phone.newPage();
  await page.goto(`${federation.url}#/show`);
  await read(page);
  return page;
}

async function takes(page: Page, text: string): Promise<void> {
  await page.getByRole("button", { name: /本门岗显示随机码|重新扫描/ }).click();
  await page.getByLabel("或粘贴").fill(text);
  await page.getByRole("button", { name: "使用" }).click();
}

/** The code on the phone once it is another than this. */
async function another(page: Page, than: string): Promise<string> {
  let text = than;
  await expect.poll(async () => (text = await read(page)), { timeout: 45_000 }).not.toBe(than);
  return text;
}

test("the wallet's first load fetches nothing of the camera, and a registered phone has it for later", async () => {
  expect(first.length).toBeGreaterThan(5);
  expect(first.filter((url) => CAMERAS.test(url))).toEqual([]);
  const page = await wallet();
  const kept = () =>
    page.evaluate(async () => {
      const found: string[] = [];
      for (const name of await caches.keys()) for (const one of await (await caches.open(name)).keys()) found.push(one.url);
      return found;
    });
  await expect.poll(async () => (await kept()).filter((url) => CAMERAS.test(url)).length, { timeout: 30_000 }).toBe(3);
  await page.close();
});

test("a challenge read by the camera without a network is answered, passes once, and is no answer to the next", async ({ context }) => {
  const page = await wallet();
  await page.context().setOffline(true);
  await page.reload();
  const plain = await read(page);
  const gatesPage = await gatePage(context);
  await gatesPage.context().setOffline(true);

  // What answers nothing is refused, in words.
  await present(gatesPage, plain);
  await answered(gatesPage, "不通过 NO", "CHALLENGE_MISMATCH");
  await next(gatesPage);

  film(screen, [frame(await read(gatesPage, "challenge"))]);
  await page.getByRole("button", { name: "本门岗显示随机码" }).click();
  await page.getByRole("button", { name: "打开摄像头" }).click();
  await expect(page.getByTestId("answers")).toContainText("此码只给门岗", { timeout: 30_000 });
  await expect(page.locator("video")).toHaveCount(0);
  const answer = await another(page, plain);
  await present(gatesPage, answer);
  await answered(gatesPage, "通行 PASS", "ACCEPTED");
  await next(gatesPage);
  // A screenshot of it, and the phone itself before it has read the next one.
  await present(gatesPage, answer);
  await answered(gatesPage, "不通过 NO", "CHALLENGE_MISMATCH");
  await next(gatesPage);

  // A gate lets a pass in once in a half minute, whatever it answers.
  await takes(page, await read(gatesPage, "challenge"));
  await present(gatesPage, await another(page, await another(page, answer)));
  await answered(gatesPage, "通行 PASS", "ACCEPTED");
  await page.context().setOffline(false);
  await page.close();
});

test("an answer is renewed each half minute and put away by hand or with the screen", async () => {
  const page = await wallet();
  const plain = await read(page);
  await takes(page, `VG1:${"4A58".padEnd(16, "0")}${"0F".repeat(16)}`);
  await expect(page.getByTestId("answers")).toContainText("4a58000000000000");
  const answer = await another(page, plain);
  expect(answer.length).toBeGreaterThan(plain.length);
  await expect.poll(() => read(page), { timeout: 45_000, intervals: [2_000] }).not.toBe(answer);
  expect((await read(page)).length).toBe(answer.length);
  await page.getByRole("button", { name: "收起" }).click();
  await expect(page.getByTestId("answers")).toHaveCount(0);
  await expect.poll(async () => (await read(page)).length).toBe(plain.length);
  await takes(page, `VG1:${"0".repeat(48)}`);
  await expect(page.getByTestId("answers")).toBeVisible();
  await page.getByRole("button", { name: "返回" }).click();
  await page.getByRole("button", { name: "出示健康码" }).click();
  await read(page);
  await expect(page.getByTestId("answers")).toHaveCount(0);
  await page.close();
});

test("what is no gate's code is said so, in both languages, and nothing stands in the way of people with aids", async () => {
  const page = await wallet();
  for (const [language, shows, use, bad] of [
    ["zh", "本门岗显示随机码", "使用", "这不是门岗的随机码"],
    ["en", "This gate shows a code", "Use it", "That is no gate's code"],
  ] as const) {
    await page.evaluate((language) => localStorage.setItem("language", language), language);
    await page.reload();
    await read(page);
    await page.getByRole("button", { name: shows }).click();
    await clean(page);
    for (const text of ["", "VIR1:6BF", `vg1:${"0".repeat(48)}`, `VG1:${"g".repeat(48)}`, `VG1:${"0".repeat(49)}`]) {
      await page.locator("input[name=challenge]").fill(text);
      await page.getByRole("button", { name: use }).click();
      await expect(page.getByRole("alert")).toContainText(bad);
      await expect(page.getByTestId("answers")).toHaveCount(0);
    }
    await page.locator("input[name=challenge]").fill(`VG1:${"0".repeat(48)}`);
    await page.keyboard.press("Enter");
    await expect(page.getByTestId("answers")).toBeVisible();
    await clean(page);
  }
  await page.close();
});

test("a proxy's code is read by the camera and consented to; another code is not taken for one", async () => {
  const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
  const proxy = await context.newPage();
  await proxy.goto(federation.url);
  await proxy.getByRole("button", { name: "我替他人办理" }).click();
  await proxy.getByLabel("您如何称呼此人").fill("妈妈");
  await proxy.getByRole("button", { name: "添加" }).click();
  const code = (await proxy.getByTestId("mandate-text").innerText()).trim();
  await context.close();

  const page = await phone.newPage();
  await page.goto(federation.url);
  await page.evaluate(() => localStorage.setItem("language", "zh"));
  await page.reload();
  await page.getByRole("button", { name: "其他功能" }).click();
  await page.getByRole("button", { name: "家人代办" }).click();
  film(screen, [frame(`VG1:${"0".repeat(48)}`)]);
  await page.getByRole("button", { name: "用摄像头扫描代办人的代码" }).click();
  await page.getByRole("button", { name: "打开摄像头" }).click();
  await expect(page.getByText("代码不完整或有误")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByLabel("代办人手机上的代码")).toHaveValue("");
  await clean(page);
  await page.getByRole("button", { name: "关闭摄像头" }).click();
  film(screen, [frame(code)]);
  await page.getByRole("button", { name: "打开摄像头" }).click();
  await expect(page.getByLabel("代办人手机上的代码")).toHaveValue(code, { timeout: 30_000 });
  await expect(page.getByText("代码不完整或有误")).toHaveCount(0);
  await expect(page.locator("video")).toHaveCount(0);
  await page.getByLabel("您如何称呼代办人").fill("女儿");
  await page.getByLabel("截止").fill(new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10));
  await page.getByRole("button", { name: "同意代办" }).click();
  await expect(page.getByText("已办妥。")).toBeVisible();
  await page.close();
});
