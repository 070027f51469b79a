// What a supervisor may ask for at the gate's page: a challenge, a temperature, a card; and the lock in front of that.

import { expect, test, type Page } from "@playwright/test";

import { Checkpoint, vector } from "./gate.ts";
import { answered, clean, closed, everythingKept, next, opened, PIN, present, unlocked } from "./gate_page.ts";
import { read } from "./wallet.ts";

const TEMPERATURE = "temperature_limit_tenth_c = 373";

let checkpoint: Checkpoint | null = null;

async function started(more = ""): Promise<string> {
  checkpoint = await Checkpoint.start({ more });
  return checkpoint.url;
}

/** The same checkpoint with another configuration. */
async function restarted(more: string): Promise<void> {
  const { port } = checkpoint!;
  await checkpoint!.stop();
  checkpoint = await Checkpoint.start({ more, port });
}

test.afterEach(async () => {
  await checkpoint?.stop();
  checkpoint = null;
});

/** Has the gate show a challenge from now on. */
async function showsChallenge(page: Page): Promise<void> {
  await unlocked(page);
  await page.getByLabel("出示随机码").check();
  await closed(page);
  await expect(page.getByTestId("challenge")).toBeVisible();
}

/** Reads the challenge on the gate's screen as a phone would. */
const shown = (page: Page) => read(page, "challenge");

/** The first nonce that this page draws from now on is this byte over and over. */
async function drawsFirst(page: Page, byte: number): Promise<void> {
  await page.addInitScript((byte) => {
    const real = crypto.getRandomValues.bind(crypto);
    let first = true;
    crypto.getRandomValues = ((array: Uint8Array<ArrayBuffer>) => {
      if (!first || array.length !== 16) return real(array);
      first = false;
      return array.fill(byte);
    }) as typeof crypto.getRandomValues;
  }, byte);
}

test("a challenge is shown with the gate's name, kept as a mode over restarts, and another after each verdict and each minute", async ({ page }) => {
  await page.clock.install();
  await opened(page, await started());
  await showsChallenge(page);
  const first = await shown(page);
  expect(first).toMatch(/^VG1:4741544530303031[0-9A-F]{32}$/);
  await expect(page.getByTestId("challenge-text")).toHaveText(first);
  await present(page, vector("a good pass").text);
  await answered(page, "不通过 NO", "CHALLENGE_MISMATCH");
  await expect(page.getByTestId("result")).toContainText("请先扫描本处的随机码");
  await next(page);
  const second = await shown(page);
  expect(second).not.toBe(first);
  await page.clock.fastForward(61_000);
  await expect.poll(() => shown(page)).not.toBe(second);
  await page.reload();
  await expect(page.getByTestId("asks")).toContainText("先扫本处随机码");
  expect([first, second]).not.toContain(await shown(page));
  expect(await page.evaluate(everythingKept)).not.toContain(first.slice(20));
});

test("the answer to the challenge passes once, and its screenshot and the answer to an earlier one do not", async ({ page }) => {
  await opened(page, await started());
  await showsChallenge(page);
  await drawsFirst(page, 9);
  await page.reload();
  expect(await shown(page)).toBe(`VG1:4741544530303031${"09".repeat(16)}`);
  const { text } = vector("the answer to the challenge");
  await present(page, text);
  await answered(page, "通行 PASS", "ACCEPTED");
  await next(page);
  await present(page, text);
  await answered(page, "不通过 NO", "CHALLENGE_MISMATCH");
  await next(page);
  await drawsFirst(page, 8);
  await page.reload();
  await present(page, vector("rules of the nation").text);
  await answered(page, "不通过 NO", "CHALLENGE_MISMATCH");
});

test("a temperature is asked for before PASS is shown, and above the limit it is NO in its own words", async ({ page }) => {
  await opened(page, await started(TEMPERATURE));
  await expect(page.getByTestId("asks")).toContainText("体温不超过37.3 °C");
  const asked = page.getByTestId("measure");
  const take = async (text: string) => {
    await page.getByLabel("体温 °C").fill(text);
    await page.getByRole("button", { name: "继续" }).click();
  };
  await present(page, vector("a good pass").text);
  await expect(asked).toBeVisible();
  await expect(page.getByTestId("result")).toHaveCount(0);
  const sent: string[] = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  // A scanner that types goes on typing: that is no temperature.
  for (const bad of [vector("a good pass").text, "", "365", "29.9"]) {
    await take(bad);
    await expect(asked.getByRole("alert")).toContainText("30.0至45.0");
    await expect(page.getByTestId("result")).toHaveCount(0);
  }
  await take("37.3");
  await answered(page, "通行 PASS", "ACCEPTED");
  await next(page);

  await present(page, vector("rules of the nation").text);
  await take("38,1");
  await answered(page, "不通过 NO", "TEMPERATURE_TOO_HIGH");
  await expect(page.getByTestId("result")).toContainText("体温过高");
  await expect(page.getByTestId("result")).not.toContainText("已证明");
  await next(page);

  await present(page, vector("device and card").text, vector("device and card").card!);
  await page.getByRole("button", { name: "未能测量" }).click();
  await expect(page.getByTestId("result")).toContainText("未测体温，不能放行");
  await next(page);

  // Who is refused anyway is not measured.
  await present(page, vector("a revoked pass").text);
  await answered(page, "不通过 NO", "REVOKED");
  await next(page);
  await page.getByRole("button", { name: "设置" }).click();
  await expect(page.getByRole("row").nth(1).getByRole("cell")).toHaveText(["1", "2", "1"]);
  const kept = await page.evaluate(everythingKept);
  expect(kept).toContain('"temperatureLimit":373');
  for (const taken of ["38,1", "38.1"]) expect(kept).not.toContain(taken);
  // In tenths by itself: the digits can stand within a digest, and in how far the clock is off.
  const tenths = /(?<![0-9a-f])381(?![0-9a-f])/;
  expect('{"temperature":381}').toMatch(tenths);
  expect(kept).not.toMatch(tenths);
  expect(sent.filter((url) => !/TrustList|RevocationBatch/.test(url))).toEqual([]);
});

test("a supervisor sets the limit of the temperature, and it is kept", async ({ page }) => {
  await opened(page, await started());
  await unlocked(page);
  const limit = page.getByLabel("体温上限");
  await limit.fill("99");
  await limit.press("Tab");
  await expect(page.getByRole("alert")).toContainText("35.0至42.0");
  await limit.fill("37.0");
  await limit.press("Tab");
  await closed(page);
  await page.reload();
  await expect(page.getByTestId("asks")).toContainText("体温不超过37.0 °C");
  await present(page, vector("a good pass").text);
  await expect(page.getByTestId("measure")).toBeVisible();
});

test("of two quick changes none is lost, and their boxes are not squashed", async ({ page }) => {
  await opened(page, await started());
  await unlocked(page);
  const boxes = page.getByRole("checkbox");
  for (const box of await boxes.all()) {
    const { width, height } = (await box.boundingBox())!;
    expect(Math.abs(width - height)).toBeLessThan(1);
  }
  await page.evaluate(() => {
    for (const box of [...document.querySelectorAll<HTMLInputElement>(".supervisor input[type=checkbox]")]) box.click();
  });
  await closed(page);
  for (const said of ["须出示身份证", "先扫本处随机码"]) await expect(page.getByTestId("asks")).toContainText(said);
  await page.reload();
  for (const said of ["须出示身份证", "先扫本处随机码"]) await expect(page.getByTestId("asks")).toContainText(said);
  await expect(page).toHaveTitle("核验");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page).toHaveTitle("Gate");
});

test("where a card is asked for, only passes that are bound to one count", async ({ page }) => {
  await opened(page, await started());
  await unlocked(page);
  await page.getByLabel("须出示身份证").check();
  await closed(page);
  await expect(page.getByTestId("asks")).toContainText("须出示身份证");
  await expect(page.getByTestId("asks")).not.toContainText("手机凭证不超过");
  await present(page, vector("a good pass").text);
  await answered(page, "不通过 NO", "BINDER_NOT_ACCEPTED");
  await next(page);
  await present(page, vector("device and card").text, vector("device and card").card!);
  await answered(page, "通行 PASS", "ACCEPTED");
});

test("what is asked for is changed only with the PIN, guessing it is waited for, and it is kept as a digest", async ({ page }) => {
  await page.clock.install();
  await opened(page, await started());
  await page.getByRole("button", { name: "设置" }).click();
  await expect(page.getByLabel("准入规则")).toHaveCount(0);
  await page.getByRole("button", { name: "更改要求" }).click();
  const set = async (pin: string, again: string) => {
    await page.getByLabel("新密码").fill(pin);
    await page.getByLabel("再输入一次").fill(again);
    await page.getByRole("button", { name: "设置密码" }).click();
  };
  for (const [pin, again, words] of [
    ["123", "123", "4至12位数字"],
    ["12345a", "12345a", "4至12位数字"],
    [PIN, "314159", "两次输入不同"],
  ] as const) {
    await set(pin, again);
    await expect(page.getByRole("alert")).toContainText(words);
  }
  await set(PIN, PIN);
  await expect(page.getByLabel("准入规则")).toBeVisible();
  await closed(page);

  const guess = async (pin: string) => {
    await page.getByLabel("主管密码").fill(pin);
    await page.getByRole("button", { name: "解锁" }).click();
  };
  const open = async () => {
    await page.getByRole("button", { name: "设置" }).click();
    await page.getByRole("button", { name: "更改要求" }).click();
  };
  await open();
  for (const [round, least, most] of [
    [1, 55, 60],
    [2, 115, 120],
  ] as const) {
    for (let tries = 0; tries < 4; tries++) {
      await guess("0000");
      await expect(page.getByRole("alert")).toContainText("密码不正确");
    }
    await guess("0000");
    await expect(page.getByTestId("wait")).toBeVisible();
    // Closing the page does not shorten it.
    await page.reload();
    await open();
    const left = parseInt(await page.getByTestId("wait").innerText(), 10);
    expect(left, `round ${round}`).toBeGreaterThan(least - 5);
    expect(left, `round ${round}`).toBeLessThanOrEqual(most);
    await expect(page.getByLabel("主管密码")).toHaveCount(0);
    await page.clock.fastForward(most * 1000);
    await page.reload();
    await open();
    await expect(page.getByLabel("主管密码")).toBeVisible();
  }
  await guess(PIN);
  await expect(page.getByLabel("准入规则")).toBeVisible();
  const kept = await page.evaluate(everythingKept);
  expect(kept).not.toContain(PIN);
  const rounds = Number(/"rounds":(\d+)/.exec(kept)?.[1]);
  expect(rounds).toBeGreaterThanOrEqual(210_000);
  // It closes with the settings.
  await closed(page);
  await open();
  await expect(page.getByLabel("主管密码")).toBeVisible();
  await expect(page.getByLabel("准入规则")).toHaveCount(0);
});

test("settings that are opened before the gate is are there once it is", async ({ page }) => {
  const url = await started();
  await page.route(/gate_bg/, async (route) => {
    await new Promise((done) => setTimeout(done, 1_500));
    await route.continue();
  });
  await page.goto(url);
  await page.getByRole("button", { name: "设置" }).click();
  await page.getByRole("button", { name: "更改要求" }).click();
  await expect(page.getByTestId("asks")).toHaveCount(0);
  await expect(page.getByLabel("新密码")).toBeVisible();
});

test("a setting of the checkpoint's that asks for less waits for the supervisor, one that asks for more does not", async ({ page }) => {
  await opened(page, await started(TEMPERATURE));
  await restarted("temperature_limit_tenth_c = 370");
  await page.reload();
  await expect(page.getByTestId("asks")).toContainText("37.0 °C");
  await expect(page.getByTestId("offered")).toHaveCount(0);

  await restarted("");
  for (let visit = 0; visit < 2; visit++) {
    await page.reload();
    await expect(page.getByTestId("offered")).toContainText("体温");
    await expect(page.getByTestId("asks")).toContainText("37.0 °C");
  }
  await unlocked(page);
  await page.getByRole("button", { name: "采用新设置" }).click();
  await expect(page.getByTestId("offered")).toHaveCount(0);
  await expect(page.getByTestId("asks")).not.toContainText("体温");
  await page.reload();
  await expect(page.getByTestId("asks")).not.toContainText("体温");
  await expect(page.getByTestId("offered")).toHaveCount(0);
  await present(page, vector("a good pass").text);
  await answered(page, "通行 PASS", "ACCEPTED");
});

test("a setting that changes while the gate is open is used once nobody stands there, and the camera's part is not begun anew", async ({ page }) => {
  await opened(page, await started(TEMPERATURE));
  const looksAgain = () => page.evaluate(() => dispatchEvent(new Event("online")));
  const reader = await page.locator("input[name=code]").elementHandle();
  await present(page, vector("a good pass").text);
  await expect(page.getByTestId("measure")).toBeVisible();

  await restarted("temperature_limit_tenth_c = 370");
  const asked = page.waitForResponse(/GetSetting/);
  await looksAgain();
  await asked;
  await page.waitForTimeout(500);
  await expect(page.getByTestId("asks")).toContainText("37.3 °C");
  await page.keyboard.type("36.5");
  await page.keyboard.press("Enter");
  await answered(page, "通行 PASS", "ACCEPTED");
  await next(page);
  await looksAgain();
  await expect(page.getByTestId("asks")).toContainText("37.0 °C");
  expect(await page.locator("input[name=code]").evaluate((now, before) => now === before, reader)).toBe(true);
  // What the gate remembered before, it remembers.
  await present(page, vector("a good pass").text);
  await answered(page, "不通过 NO", "REPLAYED");
  await next(page);

  await restarted("");
  await looksAgain();
  await expect(page.getByTestId("offered")).toContainText("体温");
  await expect(page.getByTestId("asks")).toContainText("37.0 °C");
});

test("everything can be done by keyboard", async ({ page }) => {
  await opened(page, await started(TEMPERATURE));
  const to = async (name: RegExp) => {
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press("Tab");
      const named = await page.evaluate(() => {
        const focused = document.activeElement;
        return `${focused?.textContent ?? ""}|${focused?.closest("label")?.textContent ?? ""}`;
      });
      if (named.split("|").some((text) => name.test(text))) return;
    }
    throw new Error(`the keyboard does not reach ${name}`);
  };
  await to(/^设置$/);
  await page.keyboard.press("Enter");
  await to(/^更改要求/);
  await page.keyboard.press("Enter");
  await to(/^新密码/);
  await page.keyboard.type(PIN);
  await to(/^再输入一次/);
  await page.keyboard.type(PIN);
  await page.keyboard.press("Enter");
  // The PIN's key takes its time.
  await expect(page.getByLabel("出示随机码")).toBeVisible();
  await to(/^出示随机码/);
  await page.keyboard.press("Space");
  await to(/^关闭$/);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("challenge")).toBeVisible();
  await unlocked(page);
  await page.getByLabel("出示随机码").uncheck();
  await page.keyboard.press("Escape");
  await expect(page.locator("input[name=code]")).toBeFocused();
  await expect(page.getByTestId("challenge")).toHaveCount(0);
  // A scanner can type at once, and so can whoever takes the temperature.
  await page.keyboard.type(vector("a good pass").text);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("measure")).toBeVisible();
  await page.keyboard.type("36.5");
  await page.keyboard.press("Enter");
  await answered(page, "通行 PASS", "ACCEPTED");
});

for (const [language, words] of [
  ["zh", { settings: "设置", change: "更改要求", said: ["绿码", "体温不超过37.3 °C", "先扫本处随机码"], close: "关闭", high: "体温过高" }],
  [
    "en",
    {
      settings: "Settings",
      change: "Change what is asked",
      said: ["green code", "a temperature of at most 37.3 °C", "challenge is to be read first"],
      close: "Close",
      high: "Temperature too high",
    },
  ],
] as const) {
  for (const large of ["no", "yes"]) {
    test(`no serious fault of access, and words: ${language}${large === "yes" ? ", large type" : ""}`, async ({ page }) => {
      await opened(page, await started(TEMPERATURE));
      await showsChallenge(page);
      await page.evaluate(
        ([language, large]) => {
          localStorage.setItem("language", language!);
          localStorage.setItem("large", large!);
        },
        [language, large],
      );
      await drawsFirst(page, 9);
      await page.reload();
      for (const said of words.said) await expect(page.getByTestId("asks")).toContainText(said);
      await shown(page);
      await clean(page);
      await page.locator("input[name=code]").fill(vector("the answer to the challenge").text);
      await page.keyboard.press("Enter");
      await expect(page.getByTestId("measure")).toBeVisible();
      await clean(page);
      await page.keyboard.type("39");
      await page.keyboard.press("Enter");
      await expect(page.getByTestId("result")).toContainText(words.high);
      await clean(page);
      await page.waitForTimeout(450);
      await page.locator(".result button.main").click();
      await page.getByRole("button", { name: words.settings }).click();
      await page.getByRole("button", { name: words.change }).click();
      await clean(page);
      await page.locator("input[name=pin]").fill(PIN);
      await page.keyboard.press("Enter");
      await expect(page.locator("input[name=limit]")).toBeVisible();
      await clean(page);
      await page.getByRole("button", { name: words.close, exact: true }).click();
    });
  }
}
