// Pictures of the screens of wallet and console in both languages, into docs/pictures: `npm run pictures --workspace tests/pages`.

import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { Console } from "./console_answers.ts";
import { answersWith, hex } from "./console_made_up.ts";
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
    for (const screen of ["", "show", "status", "check-in", "trip", "ask", "more", "receipts", "lost", "leave"]) {
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
      ["acts", "acts", "act"],
    ]) {
      await page.goto(`${made.url}#/${hash}`);
      await page.evaluate((language) => localStorage.setItem("language", language), language);
      await page.reload();
      await expect(page.getByTestId(shown!).first()).toBeVisible();
      await page.screenshot({ path: join(into, `console-${name}-${language}.png`), fullPage: true });
    }
  }
  await page.close();
  await made.stop();
});
