// What the tests do with the gate's page.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** Opens the page and waits until it holds a trust list. */
export async function opened(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.getByTestId("state")).toContainText("更新于");
}

export async function present(page: Page, text: string, card = ""): Promise<void> {
  await page.getByLabel("扫码枪或粘贴").fill(text);
  if (card) await page.getByLabel("证件号码").fill(card);
  await page.getByRole("button", { name: "核验" }).click();
}

export async function answered(page: Page, word: string, code: string): Promise<void> {
  const result = page.getByTestId("result");
  await expect(result).toContainText(word);
  await expect(result.getByText(code, { exact: true })).toBeVisible();
}

export async function next(page: Page): Promise<void> {
  await page.waitForTimeout(450); // a verdict stands that long at least
  await page.getByRole("button", { name: "下一位" }).click();
}

export const PIN = "271828";

/** Opens the supervisor's part of the settings, with a PIN that is set at the first time. */
export async function unlocked(page: Page, pin = PIN): Promise<void> {
  await page.getByRole("button", { name: "设置" }).click();
  await page.getByRole("button", { name: "更改要求" }).click();
  const first = page.getByLabel("新密码");
  const later = page.getByLabel("主管密码");
  await expect(first.or(later)).toBeVisible();
  if (await first.isVisible()) {
    await first.fill(pin);
    await page.getByLabel("再输入一次").fill(pin);
    await page.getByRole("button", { name: "设置密码" }).click();
  } else {
    await later.fill(pin);
    await page.getByRole("button", { name: "解锁" }).click();
  }
  await expect(page.getByLabel("准入规则")).toBeVisible();
}

export async function closed(page: Page): Promise<void> {
  await page.getByRole("button", { name: "关闭" }).click();
}

/** No serious fault that axe-core finds, and nothing that stands out to the right at 360 px. */
export async function clean(page: Page): Promise<void> {
  await page.waitForTimeout(150); // the result fades in
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter((fault) => ["serious", "critical"].includes(fault.impact ?? ""));
  expect(serious.map((fault) => `${fault.id}: ${fault.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
  const [scroll, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(scroll).toBeLessThanOrEqual(width!);
}

/** All that the page has stored, as text. */
export async function everythingKept(): Promise<string> {
  const all: unknown[] = [{ ...localStorage }, { ...sessionStorage }];
  const db = await new Promise<IDBDatabase>((done) => {
    const asked = indexedDB.open("gate");
    asked.onsuccess = () => done(asked.result);
  });
  for (const name of db.objectStoreNames) {
    const store = db.transaction(name).objectStore(name);
    for (const asked of [store.getAllKeys(), store.getAll()]) {
      all.push(await new Promise((done) => (asked.onsuccess = () => done(asked.result))));
    }
  }
  db.close();
  return JSON.stringify(all, (_, value: unknown) =>
    value instanceof Uint8Array ? String.fromCharCode(...value.slice(0, 100_000)) : value,
  );
}
