// What the gate's page says, and offers, where something is not as it should be.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test, type Page } from "@playwright/test";
import { GetSettingResponseSchema } from "@viridian/wire/gate";

import { Checkpoint, vector, vectors } from "./gate.ts";
import { answered, clean, next, opened, present } from "./gate_page.ts";

let checkpoint: Checkpoint;

test.beforeEach(async () => {
  checkpoint = await Checkpoint.start();
});
test.afterEach(async () => {
  await checkpoint.stop();
});

async function inEnglish(page: Page): Promise<void> {
  await page.getByRole("button", { name: "English" }).click();
}

/** The checkpoint's clock is no simulated one, and this device's is off by so many seconds. */
async function clockIsOff(page: Page, aheadS: number): Promise<void> {
  await page.route(/GetSetting$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.body();
    const length = body.readUInt32BE(1);
    const setting = fromBinary(GetSettingResponseSchema, body.subarray(5, 5 + length));
    setting.simulatedClock = false;
    const message = Buffer.from(toBinary(GetSettingResponseSchema, setting));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    await route.fulfill({ response: answer, body: Buffer.concat([head, message, body.subarray(5 + length)]) });
  });
  await page.clock.setFixedTime((vectors.list_taken_at_s + aheadS) * 1000);
}

test("a clock that is behind is said in hours, with what to do, and nobody reads seconds since 1970", async ({ page }) => {
  await clockIsOff(page, -7_199);
  await page.goto(checkpoint.url);
  const clock = page.getByTestId("clock");
  await expect(clock).toContainText("本机时间比核验端慢2小时");
  await expect(clock).toContainText("自动设置时间");
  await present(page, vector("a good pass").text);
  await answered(page, "无法核验", "NO_LIST");
  await expect(page.getByTestId("result")).toContainText("慢2小时");
  await next(page);
  await expect(page.locator("header")).not.toContainText(/issued at|\d{7}/);
  await inEnglish(page);
  await expect(clock).toContainText("2 h behind the checkpoint's. Switch on automatic time");
});

test("a clock that is ahead is said too", async ({ page }) => {
  await clockIsOff(page, 5_400);
  await page.goto(checkpoint.url);
  await expect(page.getByTestId("clock")).toContainText("快1小时30分钟");
  await inEnglish(page);
  await expect(page.getByTestId("clock")).toContainText("1 h 30 min ahead of the checkpoint's");
});

test("where a newer list may help it is fetched at once, and again at a press", async ({ page }) => {
  await opened(page, checkpoint.url);
  const fetched = () => page.waitForRequest(/GetTrustList$/);
  const byItself = fetched();
  await present(page, vector("an epoch that the list does not know").text);
  await answered(page, "无法核验", "UNKNOWN_EPOCH");
  await byItself;
  await expect(page.getByTestId("result").getByTestId("renewal")).toContainText("没有更新的信任列表");
  const byHand = fetched();
  await page.getByTestId("result").getByRole("button", { name: "更新信任列表" }).click();
  await byHand;
  await checkpoint.stop();
  await page.getByTestId("result").getByRole("button", { name: "更新信任列表" }).click();
  await expect(page.getByTestId("result").getByTestId("renewal")).toContainText("请检查网络");
  await next(page);
  await page.getByRole("button", { name: "设置" }).click();
  await expect(page.getByRole("dialog").getByRole("button", { name: "更新信任列表" })).toBeVisible();
});

test("a browser that refuses storage is told from a checkpoint that is not reached", async ({ page }) => {
  await page.addInitScript(() => {
    const refuse = () => {
      throw new DOMException("no", "SecurityError");
    };
    IDBFactory.prototype.open = refuse;
    Storage.prototype.getItem = refuse;
    Storage.prototype.setItem = refuse;
  });
  await page.goto(checkpoint.url);
  await expect(page.getByRole("alert")).toContainText("不允许本页保存数据");
  await expect(page.getByRole("alert")).not.toContainText("连接核验端");
  await inEnglish(page);
  await expect(page.getByRole("alert")).toContainText("Use no private window");
});

test("where not even a window may be had alone, storage is what is said to be wanting", async ({ page }) => {
  await page.addInitScript(() => {
    LockManager.prototype.request = () => Promise.reject(new DOMException("no", "SecurityError"));
  });
  await page.goto(checkpoint.url);
  await expect(page.getByRole("alert")).toContainText("不允许本页保存数据");
});

/** As a Chinese input method types: all signs of full width. */
const fullWidth = (text: string) => text.replace(/[!-~]/g, (sign) => String.fromCodePoint(sign.codePointAt(0)! + 0xfee0)).replaceAll("＄", "￥").replaceAll("．", "。");

for (const [name, typed] of [
  ["with Caps Lock on", (text: string) => text.toLowerCase()],
  ["through a Chinese input method", fullWidth],
  ["with its first colon of full width", (text: string) => text.replace(":", "：")],
] as const) {
  test(`an honest pass that a scanner types ${name} passes`, async ({ page }) => {
    await opened(page, checkpoint.url);
    await present(page, typed(vector("a good pass").text));
    await answered(page, "通行 PASS", "ACCEPTED");
  });
}

test("a text that is something else is said to be that, with what to do", async ({ page }) => {
  await opened(page, checkpoint.url);
  for (const [text, word, code, zh, en] of [
    ["VIR2:6BF0", "无法核验 CANNOT CHECK", "UNKNOWN_VERSION", "更新本核验端", "Update the gate, and check by hand"],
    ["HC1:6BFOXN", "不通过 NO", "MALFORMED", "欧盟数字证书", "EU certificate"],
    ["https://example.org/code/1", "不通过 NO", "MALFORMED", "这是网址", "web address"],
    ["11010519491231002x", "不通过 NO", "MALFORMED", "这是身份证号码", "identity card number"],
    ["VG1:4741544530303031", "不通过 NO", "MALFORMED", "门岗的随机码", "a gate's challenge"],
    ["VIR:6BF0", "不通过 NO", "MALFORMED", "重新打开", "Open your pass again"],
  ] as const) {
    await present(page, text);
    await answered(page, word, code);
    await expect(page.getByTestId("result")).toContainText(zh);
    await next(page);
    await inEnglish(page);
    await page.locator("input[name=code]").fill(text);
    await page.keyboard.press("Enter");
    await expect(page.getByTestId("result")).toContainText(en);
    await page.waitForTimeout(450);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "中文" }).click();
  }
  await page.getByRole("button", { name: "设置" }).click();
  await expect(page.getByRole("row").nth(1).getByRole("cell")).toHaveText(["0", "10", "2"]);
});

test("a number whose check character is wrong is no card's, spaces are taken, and the code that was read is kept", async ({ page }) => {
  await opened(page, checkpoint.url);
  const { text, card } = vector("device and card");
  await present(page, text, "110105194912310028");
  await expect(page.getByRole("alert")).toContainText("末位校验");
  await expect(page.locator("input[name=code]")).toHaveValue(text);
  await page.getByLabel("证件号码").fill(` ${card!.slice(0, 6)} ${card!.slice(6, 14)} ${card!.slice(14).toLowerCase()} `);
  await page.keyboard.press("Enter");
  await answered(page, "通行 PASS", "ACCEPTED");
  await next(page);
  await expect(page.locator("input[name=code]")).toHaveValue("");
});

test("a pass that needs a card is asked for it in place, and judged as of when it was read", async ({ page }) => {
  await opened(page, checkpoint.url);
  const { text, card } = vector("device and card");
  await present(page, text);
  const asks = page.getByTestId("card");
  await expect(asks).toContainText("请出示身份证件");
  await clean(page);
  await expect(page.getByTestId("result")).toHaveCount(0);
  await page.keyboard.type("110105194912310028");
  await page.keyboard.press("Enter");
  await expect(asks.getByRole("alert")).toContainText("末位校验");
  await asks.getByLabel("证件号码").fill(card!);
  // Who types slowly: the code is of another half minute by now.
  await page.evaluate(() => {
    const real = Date.now;
    Date.now = () => real() + 100_000;
  });
  await page.keyboard.press("Enter");
  await answered(page, "通行 PASS", "ACCEPTED");
  await next(page);
  // And only once.
  await present(page, text, card!);
  await expect(page.getByTestId("result")).toContainText("不通过 NO");
  await next(page);
  await page.getByRole("button", { name: "设置" }).click();
  await expect(page.getByRole("row").nth(1).getByRole("cell")).toHaveText(["1", "1", "0"]);
});

test("who has no card, and who let the question stand too long, is told so", async ({ page }) => {
  await opened(page, checkpoint.url);
  const { text, card } = vector("device and card");
  await present(page, text);
  await page.getByRole("button", { name: "没有证件" }).click();
  await answered(page, "无法核验", "CARD_NOT_PRESENTED");
  await next(page);
  await present(page, text);
  await page.getByTestId("card").getByLabel("证件号码").fill(card!);
  await page.evaluate(() => {
    const real = Date.now;
    Date.now = () => real() + 121_000;
  });
  await page.keyboard.press("Enter");
  await answered(page, "无法核验", "CARD_NOT_PRESENTED");
});

test("by night the page is dark, and a verdict has the colour that it has by day", async ({ page }) => {
  const colourOf = (place: string) => page.locator(place).evaluate((part) => getComputedStyle(part).backgroundColor);
  await page.emulateMedia({ colorScheme: "dark" });
  await opened(page, checkpoint.url);
  expect(await colourOf("html")).toBe("rgb(18, 18, 18)");
  await clean(page);
  await present(page, vector("a good pass").text, "1");
  await expect(page.getByRole("alert")).toBeVisible();
  await clean(page);
  await page.getByLabel("证件号码").fill("");
  await page.keyboard.press("Enter");
  await answered(page, "通行 PASS", "ACCEPTED");
  await page.waitForTimeout(200);
  expect(await colourOf(".result")).toBe("rgb(0, 97, 58)");
  await clean(page);
  await next(page);
  await page.getByRole("button", { name: "设置" }).click();
  await clean(page);
  await page.getByRole("button", { name: "关闭" }).click();
  await present(page, vector("a card is asked for").text);
  await expect(page.getByTestId("card")).toBeVisible();
  await clean(page);
});
