// What lasts, and what does not, on a console's page: sessions, what is written when one ends, and lists that ask again by themselves.

import { expect, test, type Page } from "@playwright/test";

import { Console, type Answers } from "./console_answers.ts";
import { desk, minute } from "./console_made_up.ts";
import { enrolled, fillContact, noFault, picture, RIGHT, TRUSTING } from "./console_trusting.ts";

test.setTimeout(300_000);

test("a form outlives the session: the passkey is asked for over it, and it goes on", async ({ page }) => {
  const asked: Record<string, unknown>[] = [];
  const made = await Console.start({
    ...TRUSTING,
    propose: (request) => {
      asked.push(request);
      return asked.length === 1 ? "NOT_SIGNED_IN" : { lapsesAtMinute: minute(1440) };
    },
  });
  await enrolled(page, made);
  await fillContact(page);
  await page.getByLabel("身份证号码").fill("11010519491231002X");
  await page.getByRole("button", { name: "提交" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "需要重新登录" });
  await expect(dialog).toBeVisible();
  // Whoever comes by sees nothing of it, and cannot reach it.
  await noFault(page);
  await picture(page, "over-zh-phone");
  await expect(page.locator("[name=number]")).toBeHidden();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeVisible();
  await dialog.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  expect(asked[1]).toEqual(asked[0]);
  await made.stop();
});

test("a session that ends by itself asks, and hands nothing of one person's to another", async ({ page }) => {
  const made = await Console.start(TRUSTING);
  await page.clock.install();
  await enrolled(page, made);
  await fillContact(page);
  await page.getByLabel("身份证号码").fill("11010519491231002X");
  made.answers.getDesk = () => "NOT_SIGNED_IN";
  await page.clock.fastForward(16 * 60_000);
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  // The same person: all is there.
  made.answers.getDesk = () => RIGHT.getDesk!({} as never);
  await dialog.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByLabel("身份证号码")).toHaveValue("11010519491231002X");
  // Somebody else: nothing is.
  made.answers.getDesk = () => "NOT_SIGNED_IN";
  await page.clock.fastForward(16 * 60_000);
  await expect(dialog).toBeVisible();
  made.answers.getDesk = () => desk([1], "韩梅梅");
  await dialog.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(page.getByTestId("who")).toContainText("韩梅梅");
  await page.getByRole("link", { name: "填报" }).click();
  await expect(page.getByLabel("身份证号码")).toHaveCount(0);
  expect(await page.locator("body").innerText()).not.toContain("19491231");
  await made.stop();
});

/** Has the page say from now on what changes in what is read out, and gives it. */
async function readOut(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const live = "[role=status], [role=alert], [aria-live]";
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const at = target instanceof Element ? target : target.parentElement;
        const region = at?.closest(live);
        if (region) heard.push(region.textContent);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => (window as unknown as { heard: string[] }).heard.splice(0));
}

for (const [screen, asks, shown] of [
  ["waiting", "ListProposals", "line"],
  ["proposals", "ListProposals", "line"],
  ["appeals", "ListCases", "appeal"],
  ["overview", "GetOverview", "node"],
  ["intake", "ListIntake", "source"],
  ["acts", "ListActs", "act"],
] as const) {
  test(`what is open is asked for again by itself, and quietly, as long as it can be seen: ${screen}`, async ({ page }) => {
    const made = await Console.start(RIGHT);
    const call = (asks[0]!.toLowerCase() + asks.slice(1)) as keyof Answers;
    const asked: boolean[] = [];
    const answer = RIGHT[call]!;
    made.answers[call] = (request) => {
      asked.push(request.isByItself as boolean);
      return answer(request);
    };
    await page.clock.install();
    await page.goto(`${made.url}#/${screen}`);
    await expect(page.getByTestId(shown).first()).toBeVisible();
    const heard = await readOut(page);
    /** Whether it is asked again within some seconds. */
    const isAskedWithin = async (seconds: number): Promise<boolean> => {
      const before = asked.length;
      await page.clock.runFor(seconds * 1000);
      await page.waitForTimeout(300);
      return asked.length > before;
    };
    expect(await isAskedWithin(18)).toBe(false);
    expect(await isAskedWithin(4)).toBe(true);
    expect(asked).toEqual([false, true]);
    expect(await heard()).toEqual([]);
    // Nor is anything to be heard of a console that does not answer; it can be read.
    made.answers[call] = () => "INTERNAL";
    await page.clock.runFor(22_000);
    await expect(page.getByTestId("stale")).toBeVisible();
    await expect(page.getByTestId(shown).first()).toBeVisible();
    expect(await heard()).toEqual([]);
    made.answers[call] = (request) => {
      asked.push(request.isByItself as boolean);
      return answer(request);
    };
    await page.clock.runFor(22_000);
    await expect(page.getByTestId("stale")).toHaveCount(0);
    // Not while somebody types, be it a key now and then or in a field.
    while (!(await isAskedWithin(1)));
    await page.clock.runFor(18_000);
    await page.keyboard.press("Shift");
    expect(await isAskedWithin(2.5)).toBe(false);
    expect(await isAskedWithin(4)).toBe(true);
    await page.evaluate(() => {
      document.body.append(document.createElement("textarea"));
      document.querySelector("textarea")!.focus();
    });
    expect(await isAskedWithin(60)).toBe(false);
    await page.evaluate(() => document.querySelector("textarea")!.remove());
    expect(await isAskedWithin(2)).toBe(true);
    // Nor while nobody can see it; at once when somebody can.
    const isVisible = (state: string) =>
      page.evaluate((state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    await isVisible("hidden");
    expect(await isAskedWithin(60)).toBe(false);
    const before = asked.length;
    await isVisible("visible");
    await expect.poll(() => asked.length).toBe(before + 1);
    expect(asked.slice(1)).not.toContain(false);
    await made.stop();
  });
}

test("who hears the page is told of another number, and the session ends although a list is open", async ({ page }) => {
  const made = await Console.start(RIGHT);
  await page.clock.install();
  await page.goto(`${made.url}#/appeals`);
  await expect(page.getByTestId("counts")).toContainText("待裁定: 3");
  const heard = await readOut(page);
  const cases = RIGHT.listCases!({} as never) as Record<string, unknown>;
  made.answers.listCases = () => ({ ...cases, total: 4 });
  await page.clock.runFor(22_000);
  await expect(page.getByTestId("counts")).toContainText("待裁定: 4");
  expect((await heard()).some((text) => text.includes("待裁定: 4"))).toBe(true);
  // Asked for again by hand.
  await page.getByRole("link", { name: "待判断" }).click();
  await expect(page.getByTestId("counts")).toContainText("待判断: 6");
  made.answers.listProposals = () => ({ proposals: [], next: 0n, waiting: 0 });
  await page.getByRole("link", { name: "待判断" }).click();
  await expect(page.getByText("没有待判断的提案。")).toBeVisible();
  // What the page asks by itself keeps no session.
  made.answers.getDesk = () => "NOT_SIGNED_IN";
  await page.clock.fastForward(16 * 60_000);
  await expect(page.getByRole("dialog", { name: "需要重新登录" })).toBeVisible();
  const asked = made.calls.length;
  await page.clock.runFor(60_000);
  expect(made.calls).toHaveLength(asked);
  await made.stop();
});

test("who signs in in one window signs in in all: nothing that another wrote is left", async ({ context, page }) => {
  const made = await Console.start(RIGHT);
  await page.goto(made.url);
  await fillContact(page);
  await page.getByLabel("身份证号码").fill("11010519491231002X");
  const { getDesk } = made.answers;
  made.answers.getDesk = (request) => ({ ...(getDesk!(request) as object), name: "somebody else" });
  const other = await context.newPage();
  await other.goto(made.url);
  await other.evaluate(() => new BroadcastChannel("session").postMessage(null));
  await expect(page.getByTestId("who")).toContainText("somebody else");
  await fillContact(page);
  await expect(page.getByLabel("身份证号码")).toHaveValue("");
  await made.stop();
});
