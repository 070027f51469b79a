// Every screen of the console's page, in every state that it can show, from answers that are written down here: readable in both
// languages, on a phone and on a desk, by keyboard, and by ear.

import { expect, test, type Page } from "@playwright/test";

import { Console } from "./console_answers.ts";
import { mandateText } from "../../crates/pages/web/mandate.ts";
import { PROXY_KEY, desk, hex, id, minute } from "./console_made_up.ts";
import { CODE, enrolled, fillContact, noFault, picture, RIGHT, TRUSTING } from "./console_trusting.ts";
import { authenticator } from "./passkeys.ts";

// Looking through twenty screens takes a while on a busy machine.
test.setTimeout(300_000);

/** Every screen: its name, where it is, and what shows that it is there. */
const SCREENS: [string, string, string][] = [
  ["waiting", "#/waiting", "line"],
  ["appeals", "#/appeals", "appeal"],
  ["appeal", `#/appeal/${hex(2, 20)}/33-appeals-office-1`, "case"],
  ["state", "#/state", "office"],
  ["naming", "#/naming", "office"],
  ["proposals", "#/proposals", "line"],
  ["proposal-contact", `#/proposal/${hex(9)}`, "judge"],
  ["proposal-decision", `#/proposal/${hex(8)}`, "case"],
  ["proposal-naming", `#/proposal/${hex(17)}`, "naming"],
  ["proposal-naming-refused", `#/proposal/${hex(18)}`, "naming"],
  ["proposal-own", `#/proposal/${hex(7)}`, "statement"],
  ["proposal-contested", `#/proposal/${hex(15)}`, "confirm"],
  ["proposal-contested-own", `#/proposal/${hex(14)}`, "statement"],
  ["proposal-taken-by-home", `#/proposal/${hex(11)}`, "event"],
  ["proposal-done", `#/proposal/${hex(5)}`, "event"],
  ["proposal-refused-by-node", `#/proposal/${hex(4)}`, "statement"],
  ["proposal-refused", `#/proposal/${hex(3)}`, "statement"],
  ["proposal-forgotten", `#/proposal/${hex(1)}`, "grounds"],
  ["overview", "#/overview", "node"],
  ["intake", "#/intake", "source"],
  ["rules", "#/rules", "changed-rule"],
  ["counts", "#/counts", "chart"],
  ["acts", "#/acts", "act"],
];

const SIZES = [
  { width: 360, height: 720, name: "phone" },
  { width: 1280, height: 900, name: "desk" },
];

for (const { name: size, ...viewport } of SIZES) {
  for (const language of ["zh", "en"]) {
    test(`every screen can be read on a ${size}, ${language}`, async ({ browser }) => {
      const made = await Console.start(RIGHT);
      const context = await browser.newContext({ viewport });
      await context.addInitScript((language) => localStorage.setItem("language", language), language);
      const page = await context.newPage();
      for (const [name, hash, shown] of SCREENS) {
        await page.goto(`${made.url}${hash}`);
        await page.reload();
        await expect(shown === "office" ? page.getByRole("heading", { level: 2 }) : page.getByTestId(shown).first()).toBeVisible();
        await noFault(page);
        await picture(page, `${name}-${language}-${size}`);
      }
      await page.evaluate(() => localStorage.setItem("large", "yes"));
      for (const [name, hash] of SCREENS.slice(0, 7)) {
        await page.goto(`${made.url}${hash}`);
        await page.reload();
        await expect(page.getByRole("heading", { level: 2 })).toBeVisible();
        await noFault(page);
        await picture(page, `${name}-large-${language}-${size}`);
      }
      await context.close();
      await made.stop();
    });
  }
}

test("whatever can be done at a console has its words", async ({ page }) => {
  const made = await Console.start(RIGHT);
  await page.goto(`${made.url}#/acts`);
  const acts = page.getByTestId("act");
  await expect(acts).not.toHaveCount(0);
  for (const told of await acts.allInnerTexts()) expect(told).toMatch(/: \p{sc=Han}/u);
  await made.stop();
});

test("who is invited enrols; what is wrong with a code or a passkey is said in words", async ({ page }) => {
  const made = await Console.start({ ...TRUSTING, beginEnrol: () => "INVITATION_REFUSED", signIn: () => "PASSKEY_REFUSED", getDesk: () => "NOT_SIGNED_IN" });
  await authenticator(page);
  await page.goto(made.url);
  await expect(page.getByRole("button", { name: "用通行密钥登录" })).toBeVisible();
  await noFault(page);
  await picture(page, "enter-zh-phone");
  await page.getByRole("button", { name: "我有邀请码" }).click();
  await page.getByLabel("邀请码").fill("ABC");
  await page.keyboard.press("Enter");
  await expect(page.getByText("邀请码为26个字母和数字。")).toBeVisible();
  await expect(page.getByLabel("邀请码")).toBeFocused();
  await page.getByLabel("邀请码").fill(CODE.toLowerCase());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("请索取新的邀请");
  await noFault(page);
  await picture(page, "enrol-zh-phone");
  // There is none on this device.
  await page.getByRole("button", { name: "登录", exact: true }).click();
  await page.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(page.getByRole("alert")).toContainText("PASSKEY_CANCELLED");
  made.answers.beginEnrol = TRUSTING.beginEnrol!;
  await page.goto(`${made.url}#invite=${CODE}`);
  // The code has left the address before anything is asked.
  await expect(page).toHaveURL(made.url);
  await expect(page.getByLabel("邀请码")).toHaveValue(CODE);
  await page.getByRole("button", { name: "生成通行密钥并登录" }).click();
  await expect(page.getByRole("alert")).toContainText("NOT_SIGNED_IN");
  await page.getByRole("button", { name: "登录", exact: true }).click();
  await page.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(page.getByRole("alert")).toContainText("您已不在人员名单中");
  await made.stop();
});

/** Everything that this browser keeps, and where it says to be. */
async function everywhere(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const caches_ = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
    const bases = await indexedDB.databases();
    return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, caches_, bases, document.title, location.href, history.state]);
  });
}

test("a form says what is wrong with it, and keeps the number to itself", async ({ page }) => {
  const asked: Record<string, unknown>[] = [];
  const made = await Console.start({
    ...TRUSTING,
    propose: (request) => {
      asked.push(request);
      return asked.length === 1 ? "STORAGE_FULL" : { lapsesAtMinute: minute(1440) };
    },
  });
  await enrolled(page, made);
  await page.getByRole("link", { name: "填报" }).click();
  await page.getByLabel("机构").selectOption("33-cdc-1");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByLabel("事项")).toBeFocused();
  await expect(page.getByText("请选择。")).toBeVisible();
  await page.getByLabel("事项").selectOption({ label: "接触" });
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByLabel("身份证号码")).toBeFocused();
  await page.getByLabel("依据").fill("字".repeat(200));
  await noFault(page);
  await picture(page, "state-wrong-zh-phone");
  await fillContact(page);
  await page.getByLabel("身份证号码").fill("110105194912310022");
  await page.getByLabel("最后一次接触").fill("2042-08-01T09:30");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByText("且校验位相符")).toBeVisible();
  await expect(page.getByText("不得晚于现在")).toBeVisible();
  expect(asked).toHaveLength(0);
  await page.getByLabel("身份证号码").fill(" 110105 19491231 002x ");
  await expect(page.getByText("出生日期 1949-12-31")).toBeVisible();
  await page.getByLabel("最后一次接触").fill("2022-08-01T09:30");
  await picture(page, "state-filled-zh-phone");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByRole("alert")).toContainText("存储已满");
  expect(await everywhere(page)).not.toContain("19491231");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  const [first, second] = asked as [Record<string, unknown>, Record<string, unknown>];
  // Sent twice, it is one proposal.
  expect(second).toEqual(first);
  expect(second.what).toMatchObject({
    case: "statement",
    value: { source: "33-cdc-1", identityNumber: "11010519491231002X", homeProvince: 33, kind: 2, contact: 2, whereProvince: 33 },
  });
  expect(second.grounds).toBe("流调记录 118");
  // Half past nine in China.
  expect((second.what as { value: { atMinute: number } }).value.atMinute).toBe(Date.UTC(2022, 7, 1, 1, 30) / 60_000);
  expect(await everywhere(page)).not.toContain("19491231");
  await page.getByRole("button", { name: "再填一份" }).click();
  await expect(page.getByLabel("身份证号码")).toHaveCount(0);
  await made.stop();
});

test("who has no phone is named a proxy: the form checks the code, and who judges it sees the same one", async ({ page }) => {
  const asked: Record<string, unknown>[] = [];
  const propose = (request: Record<string, unknown>) => {
    asked.push(request);
    return asked.length === 1 ? "STORAGE_FULL" : { lapsesAtMinute: minute(1440) };
  };
  const made = await Console.start({ ...TRUSTING, propose });
  await enrolled(page, made);
  const code = await mandateText(PROXY_KEY);
  await page.getByRole("link", { name: "代办人", exact: true }).click();
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByLabel("身份证号码")).toBeFocused();
  await noFault(page);
  await picture(page, "naming-wrong-zh-phone");
  await page.getByLabel("身份证号码").fill("110105 19491231 002x");
  // One digit is another.
  await page.getByLabel("代码").fill(code.replace("5A5A", "5A5B"));
  await page.getByLabel("截止").fill("2022-01-01");
  await page.getByLabel("依据").fill("窗口核对本人证件");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByText("代码不完整或有误")).toBeVisible();
  await expect(page.getByText("截止日应为今天或以后")).toBeVisible();
  expect(asked).toHaveLength(0);
  await page.getByLabel("代码").fill(` ${code.slice(0, 30).toLowerCase()} ${code.slice(30)}`);
  const last = new Date((minute(480) + 1440) * 60_000).toISOString().slice(0, 10);
  await page.getByLabel("截止").fill(last);
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByRole("alert")).toContainText("存储已满");
  expect(await everywhere(page)).not.toContain("19491231");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  const [first, second] = asked as [Record<string, unknown>, Record<string, unknown>];
  expect(second).toEqual(first);
  const value = { source: "33-community-office-1", identityNumber: "11010519491231002X", proxyKey: PROXY_KEY };
  // Until the end of that day in China.
  const untilMinute = Date.parse(`${last}T00:00:00Z`) / 60_000 + 1440 - 480;
  expect(second.what).toMatchObject({ case: "naming", value: { ...value, untilMinute } });
  expect(second.grounds).toBe("窗口核对本人证件");
  await page.goto(`${made.url}#/proposal/${hex(17)}`);
  await expect(page.getByTestId("naming")).toContainText(code);
  await expect(page.getByRole("heading", { level: 2 })).toContainText("指定代办人");
  await page.goto(`${made.url}#/proposal/${hex(18)}`);
  await expect(page.getByText("此人的健康码不在本省")).toBeVisible();
  await made.stop();
});

test("each role has its own menu, and a screen of another leads to the own first one", async ({ browser }) => {
  const made = await Console.start({ ...RIGHT });
  for (const [role, items] of [
    [1, ["填报", "代办人", "提案", "规则", "统计"]],
    [2, ["待判断", "提案", "规则", "统计"]],
    [3, ["申诉", "提案", "规则", "统计"]],
    [4, ["概况", "来源", "规则", "统计"]],
    [5, ["提案", "概况", "来源", "规则", "统计", "操作记录"]],
    [0, []],
  ] as [number, string[]][]) {
    made.answers.getDesk = () => desk(role === 0 ? [] : [role], "韩梅梅");
    made.calls.length = 0;
    const page = await browser.newPage();
    await page.goto(`${made.url}#/${role === 5 ? "state" : "acts"}`);
    await expect(page.getByTestId("who")).toContainText("韩梅梅");
    await expect(page.getByRole("navigation").getByRole("link")).toHaveText(items);
    if (role === 0) await expect(page.getByText("您目前没有任何职责")).toBeVisible();
    if (role !== 5) expect(made.calls).not.toContain("ListActs");
    await page.close();
  }
  await made.stop();
});

test("the overview says whose certificates end, and when: the offices', the operator's, and the page's own", async ({ page }) => {
  const made = await Console.start(RIGHT);
  await page.goto(`${made.url}#/overview`);
  const line = (holder: string) => page.locator(".line").filter({ hasText: holder });
  await expect(line("33-cdc-1")).toContainText("即将到期");
  await expect(line("33-appeals-office-1")).toContainText("已过期");
  await expect(line("运维")).toContainText("有效至");
  await expect(line("本页面")).toContainText("有效至");
  await noFault(page);
  await made.stop();
});

test("what the node has not taken yet is looked after without another reading", async ({ page }) => {
  let line: Record<string, unknown> = {};
  const made = await Console.start({
    ...RIGHT,
    judgeProposal: ({ proposalId, agrees, words }) => {
      expect([agrees, words]).toEqual([true, ""]);
      const read = RIGHT.readProposal!({ proposalId } as never) as { line: Record<string, unknown> };
      line = { ...read.line, state: 2, judgedBy: "王敏", mayJudge: false };
      return { line };
    },
    listProposals: ({ before }) => ({ proposals: before === 10n ? [line] : [], next: 0n, waiting: 0 }),
  });
  await page.clock.install();
  await page.goto(`${made.url}#/proposal/${hex(9)}`);
  await page.getByRole("button", { name: "同意", exact: true }).click();
  expect(made.calls).not.toContain("JudgeProposal");
  await page.getByRole("button", { name: "确定同意并签名" }).click();
  await expect(page.getByTestId("state")).toContainText("会自动重试");
  line = { ...line, state: 3 };
  await expect(page.getByTestId("state")).toContainText("节点已收下", { timeout: 15_000 });
  // Nor is it read again while somebody looks at it, as lists are.
  await page.keyboard.press("Shift");
  await page.clock.fastForward(65_000);
  await page.waitForTimeout(500);
  expect(made.calls.filter((call) => call === "ReadProposal")).toHaveLength(1);
  await made.stop();
});

test("what the home contests is confirmed by a question of its own, and followed without another reading", async ({ page }) => {
  const asked: Record<string, unknown>[] = [];
  let line: Record<string, unknown> = {};
  const made = await Console.start({
    ...RIGHT,
    judgeProposal: (request) => {
      asked.push(request);
      if (asked.length === 1) return "NOT_WAITING";
      const read = RIGHT.readProposal!({ proposalId: id(15) } as never) as { line: Record<string, unknown> };
      line = { ...read.line, state: 10, mayConfirm: false };
      return { line };
    },
    listProposals: ({ before }) => ({ proposals: before === 16n ? [line] : [], next: 0n, waiting: 0 }),
  });
  // Who proposed it is told that it is another's to confirm.
  await page.goto(`${made.url}#/proposal/${hex(14)}`);
  await expect(page.getByText("须由提出人以外、有审核职责的同事")).toBeVisible();
  await expect(page.getByTestId("confirm")).toHaveCount(0);
  await page.goto(`${made.url}#/proposal/${hex(15)}`);
  await expect(page.getByTestId("state")).toContainText("节点有异议");
  await expect(page.getByTestId("state")).toContainText("剩余");
  await expect(page.getByTestId("judge")).toHaveCount(0);
  await page.getByRole("button", { name: "确认", exact: true }).click();
  await noFault(page);
  expect(asked).toHaveLength(0);
  await page.getByRole("button", { name: "确定确认并签名" }).click();
  await expect(page.getByRole("alert")).toContainText("NOT_WAITING");
  await page.getByRole("button", { name: "确定确认并签名" }).click();
  await expect(page.getByText("已确认。")).toBeVisible();
  expect(asked[1]).toMatchObject({ agrees: true, isConfirmation: true, words: "", proposalId: id(15) });
  await expect(page.getByTestId("state")).toContainText("正送往所在省份");
  line = { ...line, state: 11, untilMinute: 0 };
  await expect(page.getByTestId("state")).toContainText("所在省份的节点已收下", { timeout: 15_000 });
  await expect(page.getByTestId("due")).toHaveCount(0);
  expect(made.calls.filter((call) => call === "ReadProposal")).toHaveLength(2);
  await made.stop();
});

test("the end of a fact is filled in from its proposal", async ({ page }) => {
  const asked: Record<string, unknown>[] = [];
  const made = await Console.start({
    ...RIGHT,
    propose: (request) => {
      asked.push(request);
      return { lapsesAtMinute: minute(1440) };
    },
  });
  await page.goto(`${made.url}#/proposal/${hex(5)}`);
  const [receipt] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "保存节点回执" }).click()]);
  expect(receipt.suggestedFilename()).toBe("receipt-5.bin");
  await page.getByRole("button", { name: "填报此事实的结束" }).click();
  await expect(page.getByLabel("要结束的事件编号")).toHaveValue("ab".repeat(16));
  await page.getByLabel("结束时间").fill("2022-08-01T09:30");
  await page.getByLabel("依据").fill("解除隔离通知 5 号");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  // Typed by hand it says so: then only the node can tell whether there is such an event.
  await page.getByRole("link", { name: "待判断" }).click();
  await page.goto(`${made.url}#/proposal/${hex(5)}`);
  await page.getByRole("button", { name: "填报此事实的结束" }).click();
  await page.getByLabel("要结束的事件编号").fill("CD".repeat(16));
  await page.getByLabel("结束时间").fill("2022-08-01T09:30");
  await page.getByLabel("依据").fill("解除隔离通知 5 号");
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  const sent = asked.map((request) => (request.what as { value: { isTargetByHand: boolean; targetEvent: Uint8Array; contact: number } }).value);
  expect(sent.map(({ isTargetByHand, targetEvent, contact }) => [isTargetByHand, targetEvent[0], contact])).toEqual([
    [false, 0xab, 0],
    [true, 0xcd, 0],
  ]);
  await made.stop();
});

test("all sources are told of, part by part, and a removal that is late is said so", async ({ page }) => {
  const made = await Console.start(RIGHT);
  await page.goto(`${made.url}#/intake`);
  const sources = page.getByTestId("source");
  await expect(sources).toHaveCount(256);
  await expect(sources.nth(0)).toContainText("启动以来没有");
  await expect(sources.nth(1)).toContainText("尚未生效");
  await expect(sources.nth(2)).toContainText("已失效");
  await page.getByRole("button", { name: "更多机构" }).click();
  await expect(sources).toHaveCount(258);
  await expect(sources.nth(257)).toContainText("771");
  await expect(page.getByRole("button", { name: "更多机构" })).toHaveCount(0);
  // A last part that is full is found out by the empty one after it.
  const { listIntake } = made.answers;
  made.answers.listIntake = (request) => {
    const { sources } = listIntake!({ after: "" }) as { sources: { source: string }[] };
    return { sources: sources.filter(({ source }) => source > (request.after as string)) };
  };
  await page.reload();
  await expect(sources).toHaveCount(256);
  await page.getByRole("button", { name: "更多机构" }).click();
  await expect(page.getByRole("button", { name: "更多机构" })).toHaveCount(0);
  await expect(sources).toHaveCount(256);
  await page.goto(`${made.url}#/overview`);
  await expect(page.getByTestId("retention")).toContainText("60 天");
  await expect(page.getByTestId("retention")).toContainText("超过一天未清除");
  await made.stop();
});

test("the own province is named, where a statement leaves it out", async ({ page }) => {
  const made = await Console.start(RIGHT);
  const { readProposal } = made.answers;
  made.answers.readProposal = (request) => {
    const read = readProposal!(request) as { what: { case: string; value: object } };
    return { ...read, what: { ...read.what, value: { ...read.what.value, homeProvince: 0 } } };
  };
  await page.goto(`${made.url}#/proposal/${hex(9)}`);
  await expect(page.getByTestId("statement")).toContainText("浙江");
  await made.stop();
});
