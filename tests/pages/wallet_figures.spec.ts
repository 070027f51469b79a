// Figures of the wallet: `npm run figures --workspace tests/pages`. They are printed, and nothing fails for being slow.

import { expect, test } from "@playwright/test";

import { bytesOf, of, weighing } from "./figures.ts";
import { Federation, read, registered } from "./wallet.ts";

test.skip(!process.env.FIGURES, "asked for by FIGURES=1");
test.setTimeout(900_000);

const RUNS = 10;

test("what the wallet weighs, when it can be used, and how soon there is a pass", async ({ browser }) => {
  const federation = await Federation.start();
  const opened: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
    const page = await context.newPage();
    const weight = weighing(context);
    const devtools = await context.newCDPSession(page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    const begun = Date.now();
    await page.goto(federation.url);
    await expect(page.getByRole("button", { name: "注册" })).toBeVisible();
    opened.push(Date.now() - begun);
    if (run === 0) console.log(`page with everything but lists of places, which are fetched when one is chosen: ${bytesOf(await weight())} bytes, not compressed`);
    await context.close();
  }
  of("opened, CPU four times slower, nothing kept", opened);

  const phones = [];
  for (let number = 1; number <= RUNS; number++) {
    const context = await browser.newContext({ viewport: { width: 360, height: 720 } });
    const page = await context.newPage();
    await registered(page, federation, number);
    await page.goto("about:blank");
    phones.push({ context, page });
  }
  await federation.do("commit");
  const first: number[] = [];
  for (const { context, page } of phones) {
    const begun = Date.now();
    await page.goto(`${federation.url}#/show`);
    await expect(page.getByTestId("code")).toBeVisible({ timeout: 120_000 });
    first.push(Date.now() - begun);
    if (first.length === 1) {
      const box = (await page.getByTestId("code").getAttribute("viewBox")) ?? "";
      console.log(`code: ${(await read(page)).length} characters, ${Number(box.split(" ")[2]) - 8} modules a side`);
    }
    await context.close();
  }
  of("from a committed record to the first code on the screen", first);
  await federation.stop();
});
