// Residents without a phone of their own: somebody acts for them by their consent, or they carry a pass on paper.

import { expect, test, type Browser, type Page } from "@playwright/test";
import { readBarcodes } from "zxing-wasm/reader";

import { callOf, checkedIn, clean, holdPasses, Phones, read, refusal, type Federation, type Resident } from "./wallet.ts";

test.setTimeout(240_000);

let phones: Phones;
let federation: Federation;

const PERSON = 1;
const PAPER = 2;
const OTHER = 3;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(600_000);
  phones = await Phones.start(browser, [PERSON, PAPER]);
  federation = phones.federation;
});
test.afterAll(() => phones?.stop());

/** What a gate's page says of a code, beside a card. */
async function atGate(browser: Browser, text: string, card: string | null): Promise<string> {
  const gate = await federation.gate();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(gate.url);
  await expect(page.getByTestId("state")).toContainText("更新于");
  if (card) await page.getByLabel("证件号码").fill(card);
  await page.getByLabel("扫码枪或粘贴").fill(text);
  await page.keyboard.press("Enter");
  if (card === null) await page.getByRole("button", { name: "没有证件" }).click();
  await expect(page.getByTestId("result")).toBeVisible();
  const said = await page.getByTestId("result").innerText();
  await context.close();
  await gate.stop();
  return said;
}

/** Everything that this browser keeps, bytes as characters. */
function everythingKept(): Promise<string> {
  const bytes = (_: string, value: unknown) =>
    value instanceof Uint8Array ? Array.from(value, (byte) => String.fromCharCode(byte)).join("") : value;
  const rows = (name: string) =>
    new Promise<string>((done, failed) => {
      const asked = indexedDB.open(name);
      asked.onerror = () => failed(asked.error);
      asked.onsuccess = () => {
        const db = asked.result;
        const tx = db.transaction([...db.objectStoreNames]);
        const all = [...db.objectStoreNames].map((store) => tx.objectStore(store).getAll());
        tx.oncomplete = () => {
          db.close();
          done(JSON.stringify(all.map((one) => one.result as unknown), bytes));
        };
      };
    });
  const settings = JSON.stringify({ ...localStorage });
  return indexedDB
    .databases()
    .then((found) => Promise.all(found.map(({ name }) => rows(name!))))
    .then((kept) => settings + kept.join("\n"));
}

/** Has the storage refuse one kind of access for a while. */
async function refusedByStorage(page: Page, access: "delete", meanwhile: () => Promise<void>): Promise<void> {
  const real = await page.evaluateHandle((access) => {
    const real = IDBObjectStore.prototype[access];
    IDBObjectStore.prototype[access] = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    return real;
  }, access);
  await meanwhile();
  await page.evaluate(([access, real]) => (IDBObjectStore.prototype[access] = real), [access, real] as const);
}

/** In `days` days, as a field for days takes it. */
function day(days: number): string {
  return new Date(Date.now() + days * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10);
}

/** Opens the list of who acts for whom. */
async function family(page: Page): Promise<void> {
  await page.getByRole("button", { name: "其他功能" }).click();
  await page.getByRole("button", { name: "家人代办" }).click();
}

test("somebody acts for a resident by consent, is seen doing it, and is ended", async ({ browser }) => {
  const person: Resident = federation.person(PERSON);
  const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
  const proxy = await context.newPage();
  await proxy.clock.install();
  await proxy.goto(federation.url);
  // Who acts need not be registered here.
  await proxy.getByRole("button", { name: "我替他人办理" }).click();
  await proxy.getByLabel("您如何称呼此人").fill("妈妈");
  await proxy.getByRole("button", { name: "添加" }).click();
  await expect(proxy.getByText("尚未获得本人同意")).toBeVisible();
  await expect(proxy.getByTestId("acts-for")).toContainText("妈妈");
  const code = (await proxy.getByTestId("mandate-text").innerText()).trim();
  const [scanned] = await readBarcodes(await proxy.getByTestId("mandate-code").screenshot(), { formats: ["QRCode"] });
  expect(scanned?.text).toBe(code);
  await clean(proxy);

  const own = await phones.open(PERSON);
  await family(own);
  await expect(own.getByText("目前没有。")).toBeVisible();
  const fill = async (text: string, until: string) => {
    await own.getByLabel("代办人手机上的代码").fill(text);
    await own.getByLabel("您如何称呼代办人").fill("<b>女儿</b>");
    await own.getByLabel("截止").fill(until);
    await own.getByRole("button", { name: "同意代办" }).click();
  };
  const slip = code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
  await fill(slip, day(10));
  await expect(own.getByRole("alert")).toContainText("代码不完整或有误");
  await fill(code, day(-1));
  await expect(own.getByRole("alert")).toContainText("最多366天");
  await fill(code, day(10));
  await expect(own.getByText("已办妥。")).toBeVisible();
  await expect(own.getByTestId("proxy")).toContainText("<b>女儿</b>");
  await expect(own.getByTestId("proxy")).toContainText("未使用");
  await clean(own);

  await proxy.getByRole("button", { name: "查看是否已同意" }).click();
  await expect(proxy.getByText("已获同意")).toBeVisible();
  await proxy.getByRole("button", { name: "返回" }).click();
  await checkedIn(proxy);
  await proxy.getByRole("button", { name: "返回" }).click();
  await proxy.getByRole("button", { name: "我的状态" }).click();
  await expect(proxy.getByTestId("colour")).toHaveText("绿码");
  await proxy.getByRole("button", { name: "返回" }).click();
  await proxy.getByRole("button", { name: "出示健康码" }).click();
  expect(await atGate(browser, await read(proxy), "")).toContain("通行 PASS");
  const kept = await proxy.evaluate(everythingKept);
  expect(kept).toContain("妈妈");
  expect(kept).not.toContain(person.name);
  expect(kept).not.toContain(person.number);
  expect(kept).toContain('"secret"');
  // What is the resident's own is not there.
  await proxy.goto(`${federation.url}#/leave`);
  await expect(proxy.getByRole("button", { name: "出示健康码" })).toBeVisible();

  // By its date the consent ends without anybody's word, and so it is said also without a network.
  await context.setOffline(true);
  await proxy.clock.setSystemTime(Date.now() + 11 * 86_400_000);
  await proxy.getByRole("button", { name: "代办授权" }).click();
  await expect(proxy.getByText("代办授权已到期")).toBeVisible();
  await expect(proxy.getByText("已获同意")).toHaveCount(0);
  await proxy.clock.setSystemTime(Date.now());
  await context.setOffline(false);
  await proxy.getByRole("button", { name: "查看是否已同意" }).click();
  await expect(proxy.getByText("已获同意")).toBeVisible();
  await proxy.getByRole("button", { name: "返回" }).click();

  await own.getByRole("button", { name: "返回" }).click();
  await own.getByRole("button", { name: "其他功能" }).click();
  await expect(own.getByText(/<b>女儿<\/b> · 代办人/)).toBeVisible();
  await own.getByRole("button", { name: "家人代办" }).click();
  await expect(own.getByTestId("proxy")).not.toContainText("未使用");
  await own.getByRole("button", { name: "立即终止" }).click();
  await own.getByRole("button", { name: "确定" }).click();
  await expect(own.getByTestId("proxy")).toHaveCount(0);

  await proxy.getByRole("button", { name: "打卡" }).click();
  await proxy.getByRole("button", { name: "无症状" }).click();
  await expect(proxy.getByRole("alert")).toContainText("本人已终止代办授权");
  // Its passes are revoked, and not kept; the screens go on saying why after the page was opened again.
  expect(await proxy.evaluate(everythingKept)).not.toContain('"secret"');
  await proxy.reload();
  await proxy.getByRole("button", { name: "返回" }).click();
  await proxy.getByRole("button", { name: "出示健康码" }).click();
  await expect(proxy.getByRole("alert")).toContainText("本人已终止代办授权");
  await expect(proxy.getByTestId("code")).toHaveCount(0);
  await proxy.getByRole("button", { name: "返回" }).click();
  await proxy.getByRole("button", { name: "代办授权" }).click();
  await expect(proxy.getByText("本人已终止代办授权")).toBeVisible();
  await expect(proxy.getByText("已获同意")).toHaveCount(0);
  // Consented again, it stands again.
  await fill(code, day(10));
  await expect(own.getByTestId("proxy")).toHaveCount(1);
  await proxy.getByRole("button", { name: "查看是否已同意" }).click();
  await expect(proxy.getByText("已获同意")).toBeVisible();

  await proxy.getByRole("button", { name: "回到本人" }).click();
  await proxy.getByRole("button", { name: /从本机删除/ }).click();
  await expect(proxy.getByRole("alert")).toContainText("确定删除?");
  await proxy.getByRole("button", { name: "取消" }).click();
  await expect(proxy.getByTestId("person")).toHaveCount(1);
  await proxy.getByRole("button", { name: /从本机删除/ }).click();
  await refusedByStorage(proxy, "delete", async () => {
    await proxy.getByRole("button", { name: "确定" }).click();
    await expect(proxy.getByRole("alert")).toContainText("存储已满或被拒绝");
  });
  await proxy.getByRole("button", { name: /从本机删除/ }).click();
  await proxy.getByRole("button", { name: "确定" }).click();
  await expect(proxy.getByTestId("person")).toHaveCount(0);
  expect(await proxy.evaluate(everythingKept)).not.toContain("妈妈");
  await context.close();
  await own.close();
});

/** Length from which on a request for passes has a phone's key in it; without one it has 240 bytes or so. */
const BOUND_BYTES_LEAST = 260;

/** The phone of whoever needs paper. It is refused passes that are bound to it, so that the home makes those on paper alone. */
async function paperPhone(): Promise<Page> {
  const page = await phones.newPage(PAPER);
  await page.route(callOf("RequestUse"), (route) => {
    const length = route.request().postDataBuffer()?.length ?? 0;
    return length < BOUND_BYTES_LEAST ? route.continue() : route.fulfill(refusal("PROVER_BUSY", 8));
  });
  await page.goto(federation.url);
  await expect(page.getByTestId("state")).toContainText("在线");
  return page;
}

test("a pass on paper is printed without name, number or colour, and a gate takes it with the card alone", async ({ browser }) => {
  const { name, number } = federation.person(PAPER);
  const page = await paperPhone();
  await page.getByRole("button", { name: "其他功能" }).click();
  await page.getByRole("button", { name: "纸质凭证" }).click();
  await page.getByRole("button", { name: "生成纸质凭证" }).click();
  const sheet = page.getByTestId("sheet");
  await expect(sheet).toBeVisible({ timeout: 120_000 });
  await clean(page);

  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await expect(page.getByRole("button")).toHaveCount(0);
  const text = await sheet.innerText();
  for (const said of ["纸质凭证 PAPER PASS", "Only with the ID card.", "有效至", "revoked", "没有未解除的原因", "No open reason"]) expect(text).toContain(said);
  for (const unsaid of [name, number, "绿", "green", "Green"]) expect(text).not.toContain(unsaid);
  // The profiles of this federation admit a card's pass for a day.
  const until = await page.getByTestId("paper-until").innerText();
  const hours = (ahead: number) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", day: "numeric", month: "short" }).format(
      Date.now() + ahead * 3_600_000,
    );
  expect([hours(23), hours(24)].some((one) => until.includes(one))).toBe(true);
  const pdf = await page.pdf({ format: "A4" });
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  expect(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)).toHaveLength(1);

  const [found] = await readBarcodes(await page.getByTestId("paper-code").screenshot(), { formats: ["QRCode"], tryHarder: true });
  const code = found!.text;
  const taken = await atGate(browser, code, number);
  expect(taken).toContain("通行 PASS");
  expect(taken).toContain("仅凭证件");
  expect(await atGate(browser, code, federation.person(OTHER).number)).not.toContain("通行 PASS");
  expect(await atGate(browser, code, null)).not.toContain("通行 PASS");
  await page.close();
});

test("a sheet is of the wish that was made last, and says what it claims", async ({ browser }) => {
  const page = await paperPhone();
  const paper = async () => {
    await page.getByRole("button", { name: "返回" }).click();
    await page.getByRole("button", { name: "其他功能" }).click();
    await page.getByRole("button", { name: "纸质凭证" }).click();
  };
  await page.getByRole("button", { name: "其他功能" }).click();
  await page.getByRole("button", { name: "纸质凭证" }).click();
  const held = await holdPasses(page);
  await page.getByRole("button", { name: "生成纸质凭证" }).click();
  await held.given;
  await page.getByRole("button", { name: "门岗要求" }).click();
  await page.getByRole("button", { name: "非红码" }).click();
  await paper();
  held.release();
  await expect(page.getByTestId("sheet")).toBeVisible({ timeout: 120_000 });
  const said = await page.getByTestId("paper-claims").innerText();
  for (const claim of ["全国", "The nation's", "没有最严重一级的未解除原因"]) expect(said).toContain(claim);
  for (const unsaid of ["红", "绿", "Red", "Green", "核酸"]) expect(said).not.toContain(unsaid);
  const [found] = await readBarcodes(await page.getByTestId("paper-code").screenshot(), { formats: ["QRCode"], tryHarder: true });
  // The gate asks for green.
  expect(await atGate(browser, found!.text, federation.person(PAPER).number)).not.toContain("通行 PASS");
  await page.close();
});
