// What the federation publishes, at an institution's console: from answers that are written down here, and from the program.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { Institution } from "./console.ts";
import { Console } from "./console_answers.ts";
import { answersWith, desk } from "./console_made_up.ts";
import { BINDS_IN_H } from "./console_published.ts";
import { asked, Node, vectors } from "./public.ts";
import { clean } from "./wallet.ts";

const RIGHT = answersWith("");
const CLERK = 1;

test("an announced rule set stands with when it binds, what it changes and whom, and is one of three", async ({ page }) => {
  const made = await Console.start(RIGHT);
  await page.goto(`${made.url}#/overview`);
  await page.getByRole("link", { name: "规则全文" }).click();
  const sets = page.getByTestId("rule-set");
  await expect(sets.getByRole("heading", { level: 3 })).toHaveText([/zj-2022-08 现行/, /zj-2022-09 尚未生效/, /zj-2022-01 已失效/]);
  const announced = sets.nth(1);
  await expect(announced).toContainText(`距生效还有${BINDS_IN_H}小时`);
  await expect(announced).toContainText("紧急");
  await expect(announced.getByTestId("announced")).toContainText("最早公告");
  await expect(announced.getByTestId("changed-rule")).toContainText("密接为红码。");
  await expect(announced.getByTestId("rules-added")).toContainText("Y3 申报症状的为黄码。");
  await expect(announced.getByTestId("rules-gone")).toContainText("Y2 次密接为黄码。");
  const impacts = announced.getByTestId("impact");
  await expect(impacts).toHaveCount(2);
  await expect(impacts.nth(0)).toContainText(/浙江 \(1\).*生效前已公布/s);
  await expect(impacts.nth(0).getByRole("listitem").first()).toHaveText(/黄码\s*→\s*红码\s*依 Y1: 335–344/);
  await expect(impacts.nth(1)).toContainText("尚未统计");
  await expect(sets.nth(2)).toContainText("手中没有文本");
  // In full, and whom the one in force changed: to whoever asks, by keyboard.
  await expect(sets.nth(0).getByTestId("rule-text")).toHaveCount(0);
  await sets.nth(0).getByText("阅读全文").focus();
  await page.keyboard.press("Enter");
  await expect(sets.nth(0).getByTestId("rule-text")).toContainText("次密接为黄码。");
  await sets.nth(0).getByText("影响谁").focus();
  await page.keyboard.press("Enter");
  await expect(sets.nth(0).getByTestId("impact")).toContainText("日志开始时规则已经生效");
  await page.getByRole("button", { name: "English" }).click();
  await expect(announced).toContainText(`In force in${BINDS_IN_H} h`);
  await expect(announced.getByTestId("changed-rule")).toContainText("A contact is red.");
  await clean(page);
  await made.stop();
});

test("counts stand by day, colour, reason and source; few are not told, and a log that was not verified says why", async ({ page }) => {
  const made = await Console.start(RIGHT);
  await page.goto(`${made.url}#/counts`);
  const days = page.getByTestId("day");
  await expect(days).toHaveCount(2);
  await expect(days.first()).toContainText(/黄码 Y1: 115–124.*红码 R1: < 10/s);
  await expect(days.first().getByTestId("sources")).toContainText(/浙江疾控中心 1 · .*: 45–54/);
  await expect(days.first().getByTestId("appeals")).toContainText("申诉: 收到 25–34");
  await expect(days.nth(1)).toContainText("未统计");
  await expect(page.getByTestId("problem")).toContainText("席位 湖北 (3): 没有应答。");
  await page.getByLabel("省份").selectOption("福建 (2)");
  await expect(days).toHaveCount(1);
  await expect(page.getByTestId("problem").first()).toContainText("与此前核验过的矛盾");
  await clean(page);
  await made.stop();
});

test("the nodes are looked at again when somebody asks, and before there is anything to show", async ({ page }) => {
  const asked: boolean[] = [];
  const known = RIGHT["public.getOverview"]!({} as never) as Record<string, unknown>;
  const made = await Console.start({
    ...RIGHT,
    "public.getOverview": ({ lookAgain }) => {
      asked.push(lookAgain as boolean);
      return asked.length === 1 ? { lookedAtS: 0n } : known;
    },
  });
  await page.goto(`${made.url}#/rules`);
  await expect(page.getByTestId("rule-set")).toHaveCount(3);
  expect(asked).toEqual([false, true]);
  await page.getByRole("button", { name: "刷新" }).click();
  await expect.poll(() => asked).toEqual([false, true, true]);
  await made.stop();
});

test("a console that is told of no nodes has neither in its menu, and says so to whoever goes there", async ({ page }) => {
  const refused = () => "NOT_CONFIGURED";
  const made = await Console.start({ ...RIGHT, getDesk: () => ({ ...desk([CLERK], "王敏"), tellsPublished: false }), "public.getOverview": refused });
  await page.goto(`${made.url}#/rules`);
  await expect(page.getByRole("navigation").getByRole("link")).toHaveText(["填报", "代办人", "提案"]);
  expect(made.calls).not.toContain("public.GetOverview");
  // Where it was there before the program began anew.
  made.answers.getDesk = () => desk([CLERK], "王敏");
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("本工作台没有配置此项");
  await clean(page);
  await made.stop();
});

test("the program tells its staff what it verified of three nodes, as the public page tells it to anybody", async ({ browser }) => {
  test.setTimeout(120_000);
  const nodes = await Promise.all(vectors.nodes.map((files) => Node.start(files)));
  const dir = mkdtempSync(join(tmpdir(), "console-"));
  const { trust, clock, nodeTables } = asked(nodes, dir);
  const config = join(dir, "console.toml");
  writeFileSync(
    config,
    `federation = "${vectors.federation}"
province = 33
data_dir = "data"
store_key_file = "store.keys"
staff_file = "staff.toml"
[page]
listen = "127.0.0.1:0"
[node]
address = "127.0.0.1:1"
roots_file = "federation.pem"
${trust}${clock}[public]
rule_files = ["announced.toml"]
${nodeTables("public.node")}`,
  );
  const institution = await Institution.start(config);
  const { page, context } = await institution.employ(browser, "王敏", ["clerk"]);
  await page.getByRole("link", { name: "规则" }).click();
  await expect(page.getByTestId("rule-set")).toHaveCount(8);
  const announced = page.getByTestId("rule-set").filter({ has: page.getByRole("heading", { level: 3, name: "fj-2022-09" }) });
  await expect(announced.getByTestId("rules-added")).toContainText("Y8 健康打卡申报症状的为黄码");
  await expect(announced.getByTestId("impact")).toHaveCount(3);
  await expect(announced.getByTestId("impact").first()).toContainText("335–344");
  await page.getByRole("link", { name: "统计" }).click();
  await expect(page.getByTestId("day")).toHaveCount(3);
  await expect(page.getByTestId("day").first()).toContainText("R4: < 10");
  await clean(page);
  await context.close();
  await institution.stop();
  for (const node of nodes) await node.stop();
  rmSync(dir, { recursive: true, force: true });
});
