// The gate's page, as staff and visitors meet it.

import { expect, test, type Page } from "@playwright/test";

import { Checkpoint, vector, vectors } from "./gate.ts";
import { answered, clean, closed, everythingKept, next, opened as openedAt, present, unlocked } from "./gate_page.ts";

let checkpoint: Checkpoint;

test.beforeEach(async () => {
  checkpoint = await Checkpoint.start();
});
test.afterEach(async () => {
  await checkpoint.stop();
});

const opened = (page: Page, url = checkpoint.url) => openedAt(page, url);

/** Waits until the page opens without a network. */
async function installed(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
}

const WORDS = { accept: "通行 PASS", reject: "不通过 NO", undecided: "无法核验 CANNOT CHECK" };

/** The card of a case. The vectors' other card has a check character that the page does not take: it is as well another one. */
const numberOf = ({ name, card }: { name: string; card: string | null }) => (name === "another card" ? "110105194912310046" : (card ?? ""));

test("the page says of every code what the verifier's own vectors say", async ({ page }) => {
  await opened(page);
  // Small letters the page mends before the verifier sees them, as a scanner with Caps Lock on needs it.
  const cases = vectors.cases.filter((one) => one.nonce === null && !["nothing", "small letters"].includes(one.name));
  expect(cases.length).toBeGreaterThan(20);
  for (const one of cases) {
    await test.step(one.name, async () => {
      await present(page, one.text, numberOf(one));
      if (one.code === "CARD_NOT_PRESENTED") await page.getByRole("button", { name: "没有证件" }).click();
      await answered(page, WORDS[one.outcome], one.code);
      await next(page);
    });
  }
});

test("a code passes once, also where the page was closed in between", async ({ page }) => {
  await opened(page);
  const { text } = vector("a good pass");
  await present(page, text);
  await answered(page, "通行 PASS", "ACCEPTED");
  await page.reload();
  await present(page, text);
  await answered(page, "不通过 NO", "REPLAYED");
});

test("it opens and verifies without a network, and says so", async ({ page }) => {
  await opened(page);
  await installed(page);
  await checkpoint.stop();
  await page.reload();
  await expect(page.getByTestId("state")).toContainText("离线");
  // The clock goes on as the checkpoint's was, so that the code is still of now.
  await present(page, vector("a good pass").text);
  await answered(page, "通行 PASS", "ACCEPTED");
});

test("a gate that was never set up says that it needs its checkpoint, and goes on when it is there", async ({ page }) => {
  await opened(page);
  await installed(page);
  const { port } = checkpoint;
  await checkpoint.stop();
  await page.evaluate(() => new Promise((done) => (indexedDB.deleteDatabase("gate").onblocked = done)));
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("无法取得设置");
  checkpoint = await Checkpoint.start({ port });
  await page.getByRole("button", { name: "重试" }).click();
  await expect(page.getByTestId("state")).toContainText("更新于");
});

test("a list that was kept warns past its soft age, and checks nothing past its end", async ({ page }) => {
  await opened(page);
  for (const [minutesLater, warns] of [
    [90, true],
    [7 * 60, false],
  ] as const) {
    const { port } = checkpoint;
    await checkpoint.stop();
    checkpoint = await Checkpoint.start({ minutesLater, list: false, port });
    await page.reload();
    await expect(page.getByTestId("state")).toContainText("更新于");
    if (warns) {
      await expect(page.getByText("信任列表已旧")).toBeVisible();
      continue;
    }
    await present(page, vector("a good pass").text);
    await answered(page, "无法核验", "LIST_STALE");
  }
});

test("a rule that the list does not have any more lets nobody pass", async ({ page }) => {
  await opened(page);
  await page.evaluate(() => localStorage.setItem("profile", "gone"));
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("所选准入规则已不在信任列表中");
  await present(page, vector("a good pass").text);
  await expect(page.getByTestId("result")).toContainText("无法核验");
  await page.waitForTimeout(500);
  await next(page);
  await unlocked(page);
  await page.getByLabel("准入规则").selectOption("gate");
  await closed(page);
  // A scanner can type at once.
  await page.keyboard.type(vector("a good pass").text);
  await page.keyboard.press("Enter");
  await answered(page, "通行 PASS", "ACCEPTED");
});

test("a second line end of a scanner does not put a verdict away", async ({ page }) => {
  await opened(page);
  await page.keyboard.type("HC1:6BF");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.waitForTimeout(100);
  await answered(page, "不通过", "MALFORMED");
});

test("a specimen looks like one where it is admitted", async ({ page }) => {
  await checkpoint.stop();
  checkpoint = await Checkpoint.start({ specimens: true });
  await opened(page);
  await present(page, vector("a specimen").text);
  await answered(page, "通行 PASS", "ACCEPTED");
  await expect(page.getByText("样本，仅供演示")).toBeVisible();
});

for (const language of ["zh", "en"]) {
  test(`icon, word and the way on are on a small screen at once, ${language}`, async ({ browser }) => {
    const context = await browser.newContext({ viewport: { width: 360, height: 640 } });
    await context.addInitScript((language) => localStorage.setItem("language", language), language);
    const page = await context.newPage();
    await page.goto(checkpoint.url);
    await expect(page.getByTestId("asks")).toBeVisible();
    for (const name of ["a good pass", "a good pass", "an epoch that the list does not know"]) {
      await page.locator("input[name=code]").fill(vector(name).text);
      await page.keyboard.press("Enter");
      for (const part of [page.locator(".result .icon"), page.locator("#word"), page.locator(".result button.main")]) {
        await expect(part).toBeInViewport({ ratio: 1 });
      }
      await page.waitForTimeout(450);
      await page.keyboard.press("Enter");
      await expect(page.getByTestId("result")).toHaveCount(0);
    }
    await context.close();
  });
}

for (const language of ["zh", "en"]) {
  test(`the word, what to say and what to do lie under nothing, on any screen and in large type, ${language}`, async ({ browser }) => {
    const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
    await context.addInitScript((language) => localStorage.setItem("language", language), language);
    const page = await context.newPage();
    await page.goto(checkpoint.url);
    await expect(page.getByTestId("asks")).toBeVisible();
    const seen = new Set<string>();
    for (const { name, text, nonce, code, card } of [vector("a card alone"), ...vectors.cases]) {
      if (nonce !== null || seen.has(code) || text === "") continue;
      seen.add(code);
      await page.locator("input[name=card]").fill(numberOf({ name, card }));
      await page.locator("input[name=code]").fill(text);
      await page.keyboard.press("Enter");
      if (code === "CARD_NOT_PRESENTED") await page.getByRole("button", { name: /没有证件|No card/ }).click();
      await expect(page.getByTestId("result")).toBeVisible();
      for (const [width, height] of [[360, 720], [360, 640], [720, 360]] as const) {
        for (const large of ["no", "yes"]) {
          await page.setViewportSize({ width, height });
          await page.evaluate((large) => (document.documentElement.dataset.large = large), large);
          await test.step(`${name}, ${width}x${height}, large type: ${large}`, async () => {
            expect(await page.evaluate(covered)).toEqual([]);
          });
        }
      }
      await page.waitForTimeout(450);
      await page.keyboard.press("Enter");
      await expect(page.getByTestId("result")).toHaveCount(0);
    }
    expect(seen.size).toBeGreaterThan(12);
    await context.close();
  });
}

/** What of the verdict, of what to say and of what to do does not lie on top, wholly on the screen. */
function covered(): string[] {
  const words = [...document.querySelectorAll("#words > dt")].filter((term) => /告知|Tell|处置|What to do/.test(term.textContent ?? ""));
  const wanted = [document.querySelector("#word")!, ...words, ...words.map((term) => term.nextElementSibling!)];
  if (wanted.length < 3) return ["not all is said"];
  const lines = wanted.flatMap((part) => {
    const range = document.createRange();
    range.selectNodeContents(part);
    return [...range.getClientRects()].map((line) => ({ part, line }));
  });
  const isSeen = (part: Element, x: number, y: number) => part.contains(document.elementFromPoint(x, y));
  const isWhole = ({ part, line }: { part: Element; line: DOMRect }) =>
    [line.top + 3, line.bottom - 3].every((y) => isSeen(part, line.left + 2, y) && isSeen(part, line.right - 2, y));
  return lines.filter((one) => !isWhole(one)).map(({ part }) => part.textContent ?? "");
}

test("two windows do not share a gate", async ({ page, context }) => {
  await opened(page);
  const other = await context.newPage();
  await other.goto(checkpoint.url);
  await expect(other.getByRole("alert")).toContainText("已在另一个窗口打开");
  await other.getByRole("button", { name: "在此继续" }).click();
  await expect(other.getByTestId("state")).toContainText("更新于");
  await expect(page.getByRole("alert")).toContainText("已在另一个窗口打开");
});

test("where nothing can be kept nobody passes", async ({ page }) => {
  await opened(page);
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await present(page, vector("a good pass").text);
  const result = page.getByTestId("result");
  await expect(result).toContainText("无法核验");
  await expect(result).toContainText("不能放行");
});

test("hostile texts are texts", async ({ page }) => {
  const bad: string[] = [];
  page.on("dialog", (dialog) => bad.push(dialog.message()));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) bad.push(message.text());
  });
  await opened(page);
  for (const text of [
    `<img src=x onerror=alert(1)>`,
    `VIR1:<script>alert(2)</script>`,
    `javascript:alert(3)`,
    `"';--\u202e\u0000\ud83d`,
    "VIR1:" + "%".repeat(400),
  ]) {
    await present(page, text);
    await answered(page, "不通过", "MALFORMED");
    await next(page);
  }
  expect(bad).toEqual([]);
});

test("a card's number is checked for its form, and gone after the answer", async ({ page }) => {
  await opened(page);
  await present(page, vector("device and card").text, "123");
  await expect(page.getByRole("alert")).toContainText("18位");
  await expect(page.locator("input[name=code]")).toHaveValue(vector("device and card").text);
  await present(page, vector("device and card").text, vector("device and card").card ?? "");
  await answered(page, "通行", "ACCEPTED");
  await next(page);
  await expect(page.getByLabel("证件号码")).toHaveValue("");
  const kept = await page.evaluate(everythingKept);
  expect(kept).toContain("memory");
  expect(kept).not.toContain("11010519491231002");
});

test("it counts by hour and outcome, and nothing else", async ({ page }) => {
  await opened(page);
  await present(page, vector("a good pass").text);
  await next(page);
  await present(page, "HC1:6BF");
  await next(page);
  await page.getByRole("button", { name: "设置" }).click();
  const row = page.getByRole("row").nth(1).getByRole("cell");
  await expect(row).toHaveText(["1", "1", "0"]);
});

test("everything can be done by keyboard", async ({ page }) => {
  await opened(page);
  // A scanner types, and ends with Enter.
  await page.keyboard.type(vector("a good pass").text);
  await page.keyboard.press("Enter");
  await answered(page, "通行", "ACCEPTED");
  await page.waitForTimeout(450);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("result")).toHaveCount(0);
  await page.keyboard.type("HC1:6BF");
  await page.keyboard.press("Enter");
  await answered(page, "不通过", "MALFORMED");
  await page.waitForTimeout(450);
  await page.keyboard.press("Space");
  await expect(page.getByTestId("result")).toHaveCount(0);
});

test("nothing comes from elsewhere", async ({ page, context }) => {
  const elsewhere: string[] = [];
  context.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(checkpoint.url).origin && !["data:", "blob:"].includes(protocol)) {
      elsewhere.push(request.url());
    }
  });
  await opened(page);
  await installed(page);
  expect(elsewhere).toEqual([]);
});

for (const large of [false, true]) {
  for (const language of ["zh", "en"]) {
    test(`no serious fault of access: ${language}${large ? ", large type" : ""}`, async ({ page }) => {
      await opened(page);
      await page.evaluate(
        ([language, large]) => {
          localStorage.setItem("language", language!);
          localStorage.setItem("large", large!);
        },
        [language, large ? "yes" : "no"],
      );
      await page.reload();
      await expect(page.getByTestId("state")).toContainText(/更新于|old/);
      await clean(page);
      const field = page.locator("input[name=code]");
      for (const name of ["a good pass", "a revoked pass", "an epoch that the list does not know"]) {
        await field.fill(vector(name).text);
        await field.press("Enter");
        await expect(page.getByTestId("result")).toBeVisible();
        await clean(page);
        await page.waitForTimeout(450);
        await page.locator(".result button.main").click();
      }
      await page.getByRole("button", { name: /设置|Settings/ }).click();
      await clean(page);
    });
  }
}
