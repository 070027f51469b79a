// Pictures of the screens of all four pages in both languages, into docs/pictures: `npm run pictures --workspace tests/pages`.

import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { Console } from "./console_answers.ts";
import { answersWith, hex } from "./console_made_up.ts";
import { Checkpoint, vector } from "./gate.ts";
import { closed, opened, unlocked } from "./gate_page.ts";
import { Auditor } from "./public.ts";
import { checkedIn, Federation, read, registered } from "./wallet.ts";

test.skip(!process.env.PICTURES, "asked for by PICTURES=1");
test.setTimeout(600_000);

const into = join(import.meta.dirname, "../../docs/pictures");

test("every screen of the wallet, Chinese and English", async ({ page }) => {
  const federation = await Federation.start();
  await page.goto(federation.url);
  await page.screenshot({ path: join(into, "wallet-register-zh.png") });
  await page.getByRole("button", { name: "English" }).click();
  await page.screenshot({ path: join(into, "wallet-register-en.png") });
  await page.getByRole("button", { name: "中文" }).click();
  await registered(page, federation, 1);
  await checkedIn(page);
  await federation.do("commit");
  await page.goto(`${federation.url}#/show`);
  await page.reload();
  await read(page);
  await federation.do("contact 1");
  await federation.do("abroad 1");
  await federation.do("negative 1 5");
  for (const language of ["zh", "en"]) {
    await page.evaluate((language) => localStorage.setItem("language", language), language);
    for (const screen of ["", "show", "status", "check-in", "trip", "ask", "more", "receipts", "family", "paper", "lost", "leave"]) {
      await page.goto(`${federation.url}#/${screen}`);
      await page.reload();
      await expect(page.getByTestId("state")).toBeVisible();
      if (screen === "show") await read(page);
      if (screen === "status") await expect(page.getByTestId("timeline")).toBeVisible();
      if (screen === "more") await expect(page.getByTestId("foreign")).toBeVisible();
      const name = `wallet-${screen || "first"}-${language}.png`;
      await page.screenshot({ path: join(into, name), fullPage: true });
    }
  }
  await federation.stop();
});

test("the console, Chinese and English", async ({ browser }) => {
  const made = await Console.start(answersWith(""));
  const page = await browser.newPage({ viewport: { width: 800, height: 600 } });
  for (const language of ["zh", "en"]) {
    for (const [name, hash, shown] of [
      ["waiting", "waiting", "line"],
      ["proposal", `proposal/${hex(9)}`, "judge"],
      ["appeals", "appeals", "appeal"],
      ["appeal", `appeal/${hex(2, 20)}/33-appeals-office-1`, "case"],
      ["overview", "overview", "node"],
      ["intake", "intake", "source"],
      ["rules", "rules", "changed-rule"],
      ["counts", "counts", "chart"],
      ["acts", "acts", "act"],
    ]) {
      await page.goto(`${made.url}#/${hash}`);
      await page.evaluate((language) => localStorage.setItem("language", language), language);
      await page.reload();
      await expect(page.getByTestId(shown!).first()).toBeVisible();
      // Of hundreds of sources the first few.
      await page.screenshot({ path: join(into, `console-${name}-${language}.png`), fullPage: name !== "intake" });
    }
  }
  await page.close();
  await made.stop();
});

test("the gate, Chinese and English", async ({ browser }) => {
  const checkpoint = await Checkpoint.start({ more: "temperature_limit_tenth_c = 373" });
  for (const language of ["zh", "en"]) {
    const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
    const page = await context.newPage();
    const shot = async (name: string) => {
      await page.waitForTimeout(300); // what comes fades in
      await page.screenshot({ path: join(into, `gate-${name}-${language}.png`) });
    };
    // Opened in Chinese, whose words the steps name; the pictures are of the language that is asked for.
    const inLanguage = async (name: string) => {
      if (language === "en") await page.evaluate(() => localStorage.setItem("language", "en"));
      await page.reload();
      await shot(name);
      await page.evaluate(() => localStorage.setItem("language", "zh"));
      await page.reload();
    };
    await opened(page, checkpoint.url);
    await expect(page.getByTestId("asks")).toBeVisible();
    await inLanguage("scan");
    await unlocked(page);
    if (language === "zh") await page.screenshot({ path: join(into, "gate-settings-zh.png"), fullPage: true });
    await page.getByLabel("出示随机码").check();
    await closed(page);
    await expect(page.getByTestId("challenge")).toBeVisible();
    await inLanguage("challenge");
    await unlocked(page);
    await page.getByLabel("出示随机码").uncheck();
    await closed(page);
    await page.evaluate((language) => localStorage.setItem("language", language), language);
    await page.reload();
    for (const [name, text] of [
      ["pass", vector("a good pass").text],
      ["no", vector("a good pass").text],
      ["cannot-check", vector("an epoch that the list does not know").text],
    ]) {
      await page.locator("input[name=code]").fill(text!);
      await page.keyboard.press("Enter");
      if (name === "pass") {
        await expect(page.getByTestId("measure")).toBeVisible();
        await shot("temperature");
        await page.keyboard.type("36.5");
        await page.keyboard.press("Enter");
      }
      await expect(page.getByTestId("result")).toBeVisible();
      await shot(name!);
      await page.waitForTimeout(500);
      await page.keyboard.press("Enter");
      await expect(page.getByTestId("result")).toHaveCount(0);
    }
    await context.close();
  }
  await checkpoint.stop();
});

test("the public page, Chinese and English", async ({ browser }) => {
  const auditor = await Auditor.start();
  const page = await browser.newPage({ viewport: { width: 800, height: 1100 } });
  await page.goto(`${auditor.url}#/list`);
  await expect(page.locator("main")).not.toContainText("尚未查看", { timeout: 30_000 });
  for (const language of ["zh", "en"]) {
    await page.evaluate((language) => localStorage.setItem("language", language), language);
    for (const screen of ["list", "rules", "circuits", "provinces", "counts", "check"]) {
      await page.goto(`${auditor.url}#/${screen}`);
      await page.reload();
      await expect(page.getByRole("heading", { level: 2 })).toBeVisible();
      if (screen === "counts") await expect(page.getByTestId("chart")).toBeVisible();
      if (screen === "check") {
        await page.locator("textarea, input[type=text]").first().fill(vector("a good pass").text);
        await page.locator("main button").first().click();
        await page.waitForTimeout(1_500);
      }
      await page.screenshot({ path: join(into, `public-${screen}-${language}.png`) });
    }
  }
  await page.close();
  await auditor.stop();
});
