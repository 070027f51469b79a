// A resident's story from the first screen to the gate, whose camera sees what the wallet shows, and that of one who is red.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, expect, test, type Browser, type Page } from "@playwright/test";

import config from "./playwright.config.ts";
import { film, frame, seen } from "./frames.ts";
import { checkedIn, Phones, read, type Federation } from "./wallet.ts";

test.setTimeout(240_000);

const STORY = 1;
const RED = 2;

let phones: Phones;
let federation: Federation;
/** A browser whose camera plays what lies in `screen`. */
let browser: Browser;
const screen = join(mkdtempSync(join(tmpdir(), "film-")), "camera.y4m");

test.beforeAll(async () => {
  test.setTimeout(600_000);
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
  phones = await Phones.start(browser, [STORY, RED]);
  federation = phones.federation;
});
test.afterAll(async () => {
  await phones?.stop();
  await browser?.close();
});

/** What a gate's page says of what its camera sees: the phone's screen as it is now. */
async function scanned(phone: Page): Promise<string> {
  await read(phone);
  film(screen, [await seen(phone, "code")]);
  const gate = await federation.gate();
  const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
  const page = await context.newPage();
  await page.goto(gate.url);
  await expect(page.getByTestId("state")).toContainText("更新于");
  await page.getByRole("button", { name: "打开摄像头" }).click();
  const result = page.getByTestId("result");
  await expect(result).toBeVisible({ timeout: 30_000 });
  const said = await result.innerText();
  await context.close();
  await gate.stop();
  return said;
}

/** The own status, by the published rules of Fujian: those of the home are of a time without tests. */
async function hasColour(page: Page, colour: string, reason: string): Promise<void> {
  await page.goto(`${federation.url}#/status`);
  await page.reload();
  await page.locator("select[name=rules]").selectOption("fj-2022-08");
  await expect(page.getByTestId("colour")).toHaveText(colour);
  await expect(page.getByText("fj-2022-08 ·")).toBeVisible();
  if (reason) await expect(page.getByTestId("reason")).toContainText(reason);
  else await expect(page.getByTestId("reason")).toHaveCount(0);
}

/** That the wallet has no code for what gates ask for, and by which rule. */
async function hasNoCode(page: Page, rule: string): Promise<void> {
  await page.goto(`${federation.url}#/show`);
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("当前记录不支持所选要求", { timeout: 120_000 });
  await expect(page.locator("main")).toContainText(`对应规则: ${rule}`);
  await expect(page.getByTestId("code")).toHaveCount(0);
}

test("registered, checked in, yellow by a rule, tested twice, green again, and let pass by a gate that sees the phone", async () => {
  await federation.do(`assist ${STORY}`);
  await federation.do("commit");
  const page = await phones.open(STORY);
  await checkedIn(page);
  await hasColour(page, "黄码", "国家协查名单");
  await hasNoCode(page, "N8");
  // The way to the reasons leads to those of the rules that refused, in words.
  await page.getByRole("button", { name: "查看原因和解除条件" }).click();
  await expect(page.getByTestId("reason")).toContainText("N8");
  await expect(page.getByTestId("reason")).toContainText("解除条件");

  await federation.do(`negative ${STORY} 30`);
  await hasColour(page, "黄码", "尚缺");
  await federation.do(`negative ${STORY} 2`);
  await hasColour(page, "绿码", "");
  await federation.do("commit");
  await page.goto(`${federation.url}#/show`);
  await page.reload();
  expect(await scanned(page)).toContain("通行 PASS");
  await page.close();
});

test("who is red has no code, and is told why", async () => {
  await federation.do(`case ${RED}`);
  await federation.do("commit");
  const page = await phones.open(RED);
  await hasColour(page, "红码", "浙江疾控中心 1");
  await hasNoCode(page, "N1");
  await page.close();
});
