// The public page, as anybody meets it: an auditor's program, three nodes, and a browser.

import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

import { vector } from "./gate.ts";
import { Auditor, vectors } from "./public.ts";

test.setTimeout(180_000);

let auditor: Auditor;

test.beforeAll(async () => {
  auditor = await Auditor.start();
});
test.afterAll(async () => {
  await auditor?.stop();
});

const SECTIONS = [
  { name: "list", zh: "信任列表", en: "Trust list" },
  { name: "rules", zh: "规则", en: "Rules" },
  { name: "circuits", zh: "电路", en: "Circuits" },
  { name: "provinces", zh: "省份", en: "Provinces" },
  { name: "counts", zh: "统计", en: "Counts" },
  { name: "check", zh: "核对凭证", en: "Check this pass" },
] as const;

/** Opens a section once the nodes were looked at. */
async function open(page: Page, section: string, of = auditor): Promise<void> {
  await page.goto(`${of.url}#/list`);
  await expect(page.getByText("上次查看各节点")).toBeVisible();
  await expect(page.locator("main")).not.toContainText("尚未查看", { timeout: 30_000 });
  await page.goto(`${of.url}#/${section}`);
  await expect(page.getByRole("heading", { level: 2 })).toBeVisible();
}

/** The cards of the rule sets of a name. */
function ruleSet(page: Page, name: string) {
  return page.getByTestId("rule-set").filter({ has: page.getByRole("heading", { level: 3, name }) });
}

async function check(page: Page, text: string): Promise<void> {
  await page.getByLabel("二维码文字").fill(text);
  await page.getByRole("button", { name: "核对", exact: true }).click();
}

/** No serious fault that axe-core finds, and nothing that stands out to the right at 360 px. */
async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter((fault) => ["serious", "critical"].includes(fault.impact ?? ""));
  expect(serious.map((fault) => `${fault.id}: ${fault.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
  const beyond = await page.evaluate(() =>
    document.documentElement.scrollWidth <= innerWidth
      ? []
      : [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 90)),
  );
  expect(beyond).toEqual([]);
}

test("what is in force stands there with its digests, its rules in words in both languages, and a name that would be markup as text", async ({
  page,
}) => {
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await open(page, "rules");
  await expect(page.getByTestId("rule-set")).toHaveCount(8);
  await expect(page.getByText(vectors.hostile_name)).toBeVisible();
  expect(await page.locator("main img").count()).toBe(0);
  const unknown = page.getByTestId("rule-set").filter({ hasText: "zj-2022-07" });
  await expect(unknown).toContainText("手中没有文本，只有摘要");
  await expect(unknown).toContainText("已失效");
  const fujian = ruleSet(page, "fj-2022-08").filter({ hasText: /阅读全文|Read it in full/ });
  await expect(fujian).toContainText("现行");
  await expect(fujian.locator("code").first()).toHaveText(/^[0-9a-f]{64}$/);
  await fujian.getByText("阅读全文").click();
  const text = fujian.getByTestId("rule-text");
  await expect(text).toContainText("密接的密接为红码");
  await expect(text).toContainText("解除条件");
  await expect(text).toContainText("1次核酸阴性");
  await page.getByRole("button", { name: "English" }).click();
  await expect(text).toContainText("A contact of a close contact is red");
  await expect(text).toContainText("1 negative test(s)");
  await page.getByRole("button", { name: "中文" }).click();

  await page.getByRole("link", { name: "电路" }).click();
  const circuits = page.getByTestId("circuit");
  await expect(circuits).toHaveCount(2);
  await expect(circuits.filter({ hasText: "测试参数" })).toContainText("都是样张");
  await expect(circuits.first().locator("code")).toHaveCount(3);
  expect(dialogs).toEqual([]);
});

test("each province has its keys, its newest head, the registry's cosigners and the log's witnesses; the counts are few where they are few", async ({
  page,
}) => {
  await open(page, "provinces");
  const slots = page.getByTestId("slot");
  await expect(slots).toHaveCount(3);
  for (const words of ["浙江", "席位 1", "树头密钥", "与信任列表一致", "浙江 (1), 福建 (2), 湖北 (3)", "见证省份"]) {
    await expect(slots.first()).toContainText(words);
  }
  await expect(page.getByTestId("problem")).toHaveCount(0);

  await page.getByRole("link", { name: "统计" }).click();
  await expect(page.getByTestId("day")).toHaveCount(3);
  await expect(page.getByTestId("day").first()).toContainText("R4: < 10");
  await expect(page.getByTestId("day").first()).toContainText("R7: 115–124");
  await expect(page.getByTestId("chart")).toHaveAttribute("aria-label", /黄码 115–124, 红码 35–53/);
  // While a province's counts are on their way, or do not come, no other's stand under its name.
  let answer = () => {};
  const asked = new Promise<void>((done) => (answer = done));
  let isAsked = false;
  await page.route("**/*.PublicService/GetCounts", async (route) => {
    isAsked = true;
    await asked;
    await route.continue();
  });
  await page.getByLabel("省份").selectOption("福建 (2)");
  await expect(page.getByTestId("day")).toHaveCount(0);
  await expect(page.getByTestId("chart")).toHaveCount(0);
  await expect.poll(() => isAsked).toBe(true);
  answer();
  await expect(page.getByTestId("day")).toHaveCount(3);
});

test("whom an announced rule set changes stands with it, for each province that counted and each that did not", async ({ page }) => {
  await open(page, "rules");
  const announced = ruleSet(page, "fj-2022-09");
  await expect(announced).toContainText("尚未生效");
  await expect(announced).toContainText(/距生效还有\d+(天|小时)/);
  const impacts = announced.getByTestId("impact");
  await expect(impacts).toHaveCount(3);
  const [zhejiang, fujian, hubei] = [impacts.nth(0), impacts.nth(1), impacts.nth(2)];
  for (const words of ["浙江 (1)", "生效前已公布", "fj-2022-08 版本 1", "绿码 → 黄码 依 Y8: 335–344", "红码 → 绿码 依 R4: 45–54"]) {
    await expect(zhejiang).toContainText(words);
  }
  await expect(zhejiang.locator("code")).toHaveText(/^[0-9a-f]{64}$/);
  const few = zhejiang.locator("details");
  await expect(few.getByRole("listitem")).toBeHidden();
  await few.locator("summary").click();
  await expect(few.getByRole("listitem")).toHaveText(/绿码\s*→\s*红码\s*依 R3: < 10/);
  await expect(fujian).toContainText("尚未统计，规则尚未生效");
  await expect(fujian).toContainText("公告时间");
  await expect(hubei).toContainText("没有公告这套规则");
  await page.getByRole("button", { name: "English" }).click();
  await expect(zhejiang).toContainText("Published before it was in force");
  await expect(zhejiang).toContainText("Green → Yellow by Y8: 335–344");
  await page.getByRole("button", { name: "中文" }).click();
  // What is in force is asked for where somebody wants it.
  const inForce = ruleSet(page, "fj-2022-08").filter({ hasText: "阅读全文" });
  await expect(inForce.getByTestId("impact")).toHaveCount(0);
  await inForce.getByText("影响谁").click();
  await expect(inForce.getByTestId("impact")).toHaveCount(3);
  await expect(inForce.getByTestId("impact").first()).toContainText("没有公告这套规则");
});

test("what sources stated on a day stands in its row, and where it was not read or not counted that stands there", async ({ page }) => {
  await open(page, "counts");
  const days = page.getByTestId("day");
  await expect(days).toHaveCount(3);
  const sources = (day: number) => days.nth(day).getByTestId("sources");
  await expect(sources(0)).toContainText("福建疾控中心 1 · 可能与阳性者有关: 25–34");
  await expect(sources(0)).toContainText("福建疾控中心 2 · 潜在风险: 15–24");
  await expect(sources(0)).not.toContainText("不完整");
  await expect(sources(1)).toContainText("不完整");
  await expect(sources(2)).toContainText("读到的条目中没有");
  await page.getByRole("button", { name: "English" }).click();
  await expect(sources(0)).toContainText("Fujian CDC 1 · possibly linked to a positive: 25–34");
  await page.getByRole("button", { name: "中文" }).click();
});

test("what an announced rule set changes in the one in force is told rule by rule, in both languages", async ({ page }) => {
  await open(page, "rules");
  // One of two: of the other no text is at hand.
  await expect(page.getByTestId("changes")).toHaveCount(2);
  await expect(page.getByTestId("changes").filter({ hasText: "文本不都在手中" })).toHaveCount(1);
  const changes = ruleSet(page, "fj-2022-09").getByTestId("changes");
  await expect(changes).toContainText("对照: fj-2022-08 版本 1");
  await expect(changes.getByTestId("rules-added")).toContainText("Y8 健康打卡申报症状的为黄码");
  await expect(changes.getByTestId("rules-added")).toContainText("适用于: 申报有症状");
  await expect(changes.getByTestId("rules-gone")).toContainText("R4 密接的密接为红码");
  const changed = changes.getByTestId("changed-rule");
  await expect(changed).toHaveCount(1);
  await expect(changed).toContainText("原为: 混采阳性管人员为黄码；单采复核排除后转为绿码，否则12小时后");
  await expect(changed).toContainText("改为: 混采阳性管人员为黄码；单采复核排除后转为绿码，否则24小时后");
  await expect(changed).toContainText("满12小时 自动失效");
  await expect(changed).toContainText("满24小时 自动失效");
  for (const none of ["rules-renumbered", "rules-otherwise", "rules-lookback"]) await expect(changes.getByTestId(none)).toHaveCount(0);
  await page.getByRole("button", { name: "English" }).click();
  await expect(changed).toContainText("Before: A member of a positive pooled tube is yellow");
  await expect(changes.getByTestId("rules-gone")).toContainText("A contact of a close contact is red");
  await page.getByRole("button", { name: "中文" }).click();
});

test("each byte of a good pass is told in both languages, and the verdict as at a gate", async ({ page }) => {
  await open(page, "check");
  const good = vector("a good pass");
  await check(page, `${good.text}\n`);
  await expect(page.getByTestId("verdict")).toContainText("通行 PASS");
  await expect(page.getByTestId("verdict")).toContainText("ACCEPTED");
  const fields = page.getByTestId("field");
  await expect(fields.first()).toContainText("版本");
  await expect(fields.filter({ hasText: "规则集" })).toContainText("zj-2022-08");
  await expect(fields.filter({ hasText: "持有人密钥" })).toContainText("互相比对的门岗");
  const hex = (await page.getByTestId("hex").allTextContents()).join("");
  const places = await fields.locator("th").allTextContents();
  let at = 0;
  for (const place of places) {
    const [, offset, length] = /^(\d+) \+(\d+)/.exec(place)!;
    expect(Number(offset)).toBe(at);
    at += Number(length);
  }
  expect(hex).toHaveLength(at * 2);
  await page.getByRole("button", { name: "English" }).click();
  await expect(fields.filter({ hasText: "holder key K" })).toContainText("which showings are of this pass");
  await expect(page.getByTestId("verdict")).toContainText("Verdict at this moment");
  // The same once more is no replay here: nothing is kept.
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByTestId("verdict")).toContainText("ACCEPTED");
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.getByTestId("field")).toHaveCount(0);
});

test("a specimen is called one, and counts only where that is asked for", async ({ page }) => {
  await open(page, "check");
  await check(page, vector("a specimen").text);
  await expect(page.getByText("这是样张。")).toBeVisible();
  await expect(page.getByTestId("verdict")).toContainText("不通过 NO");
  await page.getByLabel("把样张当作真的").check();
  await page.getByRole("button", { name: "核对", exact: true }).click();
  await expect(page.getByTestId("verdict")).toContainText("通行 PASS");
});

test("what is damaged, of another system, of a newer version or too long is refused in words", async ({ page }) => {
  await open(page, "check");
  for (const [name, code, why] of [
    ["a code cut short", "MALFORMED", /./],
    ["a certificate of another system", "MALFORMED", /VIR1:/],
    ["a page's address", "MALFORMED", /VIR1:/],
    ["a version to come", "UNKNOWN_VERSION", /version/],
  ] as const) {
    await check(page, vector(name).text);
    await expect(page.getByTestId("verdict"), name).toContainText("不通过 NO");
    await expect(page.getByTestId("verdict"), name).toContainText(code);
    await expect(page.getByTestId("refused"), name).toContainText(why);
    await expect(page.getByTestId("field")).toHaveCount(0);
  }
  await check(page, vector("another signature").text);
  await expect(page.getByTestId("verdict")).toContainText("WRONG_HOLDER");
  await expect(page.getByText("签名与其密钥不符")).toBeVisible();
  await check(page, `VIR1:${"A".repeat(5_000)}`);
  await expect(page.getByRole("alert")).toContainText("过长");
  await check(page, "<script>alert(1)</script>");
  await expect(page.getByTestId("refused")).toBeVisible();
});

test("nothing leaves for elsewhere, and no request and no storage carries the pass", async ({ page }) => {
  const asked: { url: string; body: Buffer | null; headers: string }[] = [];
  page.on("request", (request) => {
    asked.push({ url: request.url(), body: request.postDataBuffer(), headers: JSON.stringify(request.headers()) });
  });
  await open(page, "check");
  const good = vector("a good pass");
  await check(page, good.text);
  await expect(page.getByTestId("verdict")).toBeVisible();
  const hex = (await page.getByTestId("hex").allTextContents()).join("");
  for (const { name } of SECTIONS) await page.goto(`${auditor.url}#/${name}`);
  await page.getByRole("button", { name: "重新查看各节点" }).click();
  await expect(page.getByRole("button", { name: "重新查看各节点" })).toBeVisible({ timeout: 30_000 });
  expect(asked.length).toBeGreaterThan(5);
  // Any eight bytes of it, as they are, as text, or encoded.
  const bytes = Buffer.from(hex, "hex");
  for (const { url, body, headers } of asked) {
    expect(new URL(url).origin).toBe(new URL(auditor.url).origin);
    const told = `${decodeURIComponent(url)} ${headers} ${body?.toString("latin1") ?? ""}`;
    for (let at = 5; at + 12 <= good.text.length; at += 6) expect(told).not.toContain(good.text.slice(at, at + 12));
    // The first bytes are shared by everybody; what is of this pass begins behind them.
    for (let at = 24; at + 8 <= bytes.length; at += 4) {
      expect(body?.includes(bytes.subarray(at, at + 8)) ?? false).toBe(false);
      expect(told).not.toContain(hex.slice(at * 2, at * 2 + 16));
    }
  }
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const urls = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).map((r) => r.url)));
    return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, urls, await indexedDB.databases()]);
  });
  expect(kept).not.toContain(good.text.slice(40, 60));
});

test("a pass is taken apart without a network, from a page that was opened before", async ({ page }) => {
  await open(page, "check");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  await page.context().setOffline(true);
  await page.reload();
  await check(page, vector("a good pass").text);
  await expect(page.getByTestId("field").first()).toBeVisible();
  await expect(page.getByText("没有信任列表，不能判定")).toBeVisible();
  await page.context().setOffline(false);
});

test("every section is clean at 360 px in both languages, in large type, and is reached by keyboard alone", async ({ page }) => {
  for (const large of [false, true]) {
    await page.evaluate(() => localStorage.clear()).catch(() => undefined);
    for (const language of ["zh", "en"] as const) {
      await page.goto(auditor.url);
      await page.evaluate(([l, large]) => {
        localStorage.setItem("language", l as string);
        localStorage.setItem("large", large ? "yes" : "no");
      }, [language, large] as const);
      for (const section of SECTIONS) {
        await page.goto(`${auditor.url}#/${section.name}`);
        await page.reload();
        await expect(page.getByRole("heading", { level: 2 })).toHaveText(section[language]);
        if (section.name === "check") {
          await page.locator("textarea").fill(vector("a good pass").text);
          await page.keyboard.press("Tab");
          await page.locator("form button.main").click();
          await expect(page.getByTestId("field").first()).toBeVisible();
        }
        if (section.name === "rules") {
          await page.locator("summary", { hasText: /阅读全文|Read it in full/ }).first().click();
          await expect(page.getByTestId("rule-text")).toBeVisible();
          const impacts = ruleSet(page, "fj-2022-09").getByTestId("impact");
          await expect(impacts).toHaveCount(3);
          await impacts.locator("summary").click();
          await expect(page.getByTestId("rules-changed")).toBeVisible();
        }
        await clean(page);
      }
    }
  }
  await page.evaluate(() => localStorage.clear());
  await page.goto(`${auditor.url}#/list`);
  await page.reload();
  const link = page.getByRole("link", { name: "核对凭证" });
  for (let presses = 0; presses < 30 && !(await link.evaluate((e) => e === document.activeElement)); presses++) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 2 })).toHaveText("核对凭证");
  await expect(page.locator("main")).toBeFocused();
});

test("a node that lies and one that does not answer are named with the reason; what was verified before stays and says so", async ({
  page,
}) => {
  const own = await Auditor.start();
  await open(page, "provinces", own);
  await expect(page.getByTestId("problem")).toHaveCount(0);
  own.nodes[0]!.put("checkpoint", Buffer.from(vectors.lying_checkpoint, "hex"));
  own.nodes[1]!.put("trust/v1/list", Buffer.from("<html>not found</html>"));
  await own.nodes[2]!.stop();
  // A page may have them looked at again ten seconds after the last time.
  await page.waitForTimeout(10_000);
  await page.getByRole("button", { name: "重新查看各节点" }).click();
  const slots = page.getByTestId("slot");
  await expect(slots.nth(0)).toContainText("与此前核验过的矛盾", { timeout: 40_000 });
  await expect(slots.nth(0)).toContainText("以下是此前核验过的");
  await expect(slots.nth(1)).toContainText("应答不合格式");
  await expect(slots.nth(2)).toContainText("没有应答");
  await clean(page);
  // The same of the counts: they are of the log as it was verified before.
  await page.getByRole("link", { name: "统计" }).click();
  await expect(page.getByTestId("day")).toHaveCount(3);
  await expect(page.getByTestId("problem")).toContainText("与此前核验过的矛盾");
  await expect(page.locator("main")).toContainText("以下是此前核验过的");
  await clean(page);
  await own.end();
  await page.getByRole("button", { name: "重新查看各节点" }).click();
  await expect(page.getByRole("alert")).toContainText("提供本页的程序没有应答");
  await own.stop();
});

test("where no node can be reached nothing is shown but that", async ({ page }) => {
  const own = await Auditor.start([{}]);
  await open(page, "provinces", own);
  await expect(page.getByTestId("state")).toContainText("没有经过核验的信任列表");
  await expect(page.getByTestId("slot")).toContainText("它说没有");
  await page.goto(`${own.url}#/rules`);
  await expect(page.getByTestId("rule-set")).toHaveCount(0);
  await page.goto(`${own.url}#/check`);
  await check(page, vector("a good pass").text);
  await expect(page.getByText("没有信任列表，不能判定")).toBeVisible();
  await clean(page);
  await own.stop();
});

test("an old list is called old, and one past its end judges nothing", async ({ page }) => {
  const own = await Auditor.start(vectors.nodes, 90);
  await open(page, "check", own);
  await expect(page.getByTestId("state")).toContainText("已经旧了");
  await own.stop();
  const later = await Auditor.start(vectors.nodes, 60 * 24);
  await open(page, "provinces", later);
  await expect(page.getByTestId("slot").first()).toContainText("已过期");
  await expect(page.getByTestId("state")).toContainText("没有经过核验的信任列表");
  await later.stop();
});
