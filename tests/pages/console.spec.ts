// An institution's console, as its staff meet it: a federation of three nodes, the console beside one of them, and the wallet of a
// resident whom it is about.

import { join } from "node:path";

import { expect as promptly, test, type Locator, type Page } from "@playwright/test";

import { Institution, type Desk } from "./console.ts";
import { clean, Phones, registered, type Federation } from "./wallet.ts";

// Node and console take a while on a busy machine.
const expect = promptly.configure({ timeout: 30_000 });
test.describe.configure({ mode: "serial" });
test.setTimeout(180_000);

const HOSTILE = "<img src=x onerror=alert(1)>";
/** Clerk and appeals officer, and approver too: that must not let her agree with herself. */
const CLERK = "王敏";
const APPROVER = `李雷${HOSTILE}`;
const UPHELD = 1;
const DISMISSED = 2;
const PHONELESS = 7;

let phones: Phones;
let federation: Federation;
let institution: Institution;
let clerk: Desk;
let approver: Desk;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(600_000);
  phones = await Phones.start(browser, [UPHELD, DISMISSED]);
  federation = phones.federation;
  institution = await Institution.start(federation.consoleConfig);
});
test.afterAll(async () => {
  // A node ends what it is proving.
  test.setTimeout(180_000);
  await clerk?.context.close();
  await approver?.context.close();
  await institution?.stop();
  await phones?.stop();
});

/** A picture for who looks at the page: `LOOK=directory`. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env.LOOK) await page.screenshot({ path: join(process.env.LOOK, `${name}.png`), fullPage: true });
}

/** Hours ago, as a field for date and time takes them: in China. */
function fieldOf(hoursAgo: number): string {
  return new Date(Date.now() + (8 - hoursAgo) * 3_600_000).toISOString().slice(0, 16);
}

async function to(page: Page, item: string): Promise<void> {
  await page.getByRole("navigation").getByRole("link", { name: item }).click();
}

/** States that a resident was in contact with a contact, three days ago. */
async function statesContact(page: Page, number: string): Promise<void> {
  await to(page, "填报");
  const another = page.getByRole("button", { name: "再填一份" });
  await expect(another.or(page.getByLabel("机构"))).toBeVisible();
  if (await another.isVisible()) await another.click();
  await page.getByLabel("机构").selectOption("33-cdc-1");
  await page.getByLabel("事项").selectOption({ label: "接触" });
  await page.getByLabel("身份证号码").fill(number);
  await page.getByLabel("密接的密接").check();
  await page.getByLabel("最后一次接触").fill(fieldOf(72));
  await page.getByLabel("依据").fill(`流调记录 118 ${HOSTILE}`);
}

async function proposes(page: Page): Promise<void> {
  await page.getByRole("button", { name: "提交" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
}

/** Agrees with what waits longest. */
async function agrees(page: Page): Promise<void> {
  await to(page, "待判断");
  await page.getByTestId("line").first().getByRole("link").click();
  await page.getByRole("button", { name: "同意", exact: true }).click();
  await page.getByRole("button", { name: "确定同意并签名" }).click();
  await expect(page.getByTestId("state")).toContainText("节点已收下");
}

/** Goes on by the tabulator until something has the focus. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let step = 0; step < 60; step++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("the keyboard does not lead there");
}

async function walletOf(number: number): Promise<Page> {
  const page = await phones.newPage(number);
  await page.goto(`${federation.url}#/status`);
  return page;
}

test("two persons enrol, each with a passkey of their own, and a code works once", async ({ browser }) => {
  clerk = await institution.employ(browser, CLERK, ["clerk", "approver", "appeals-officer"]);
  approver = await institution.employ(browser, APPROVER, ["approver", "operator", "auditor"], { width: 1280, height: 900 });
  for (const { page } of [clerk, approver]) {
    await expect(page.getByTestId("who")).toBeVisible();
    await clean(page);
  }
  expect(approver.page.url()).not.toContain("invite");
  const late = await browser.newPage();
  await late.goto(`${institution.url}#invite=${clerk.code}`);
  await late.getByRole("button", { name: "生成通行密钥并登录" }).click();
  await expect(late.getByRole("alert")).toContainText("INVITATION_REFUSED");
  await late.close();
  // Out, and in again.
  await approver.page.getByRole("button", { name: "退出" }).click();
  await expect(approver.page.getByRole("button", { name: "用通行密钥登录" })).toBeVisible();
  await approver.page.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(approver.page.getByTestId("who")).toContainText(APPROVER);
});

test("what one states another agrees on, by keyboard alone; the node takes it and the resident sees why", async () => {
  const { number } = federation.person(UPHELD);
  const { page } = clerk;
  await statesContact(page, number);
  await clean(page);
  await proposes(page);
  // She may agree with proposals, but not with her own.
  await page.getByRole("link", { name: "查看该提案" }).click();
  await expect(page.getByTestId("number")).toContainText(number);
  await expect(page.getByText("这是您本人提出的，须由另一位同事判断")).toBeVisible();
  await expect(page.getByTestId("judge")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "撤回" })).toBeVisible();
  await clean(page);

  const desk = approver.page;
  await to(desk, "待判断");
  const line = desk.getByTestId("line").first();
  await expect(line).toContainText(CLERK);
  await expect(line).not.toContainText(number);
  await expect(desk.getByText("即记录您何时查看过它")).toBeVisible();
  await tabTo(desk, line.getByRole("link"));
  await desk.keyboard.press("Enter");
  await expect(desk.getByTestId("number")).toContainText(number);
  await expect(desk.getByText("您的查看已记录。")).toBeVisible();
  await expect(desk.getByTestId("grounds")).toContainText(HOSTILE);
  await clean(desk);
  await picture(desk, "real-judge-zh-desk");
  await tabTo(desk, desk.getByRole("button", { name: "同意", exact: true }));
  await desk.keyboard.press("Enter");
  await tabTo(desk, desk.getByRole("button", { name: "确定同意并签名" }));
  await desk.keyboard.press("Enter");
  await expect(desk.getByTestId("state")).toContainText("节点已收下");
  // Nothing that stays names the resident.
  expect(await desk.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.title]))).not.toContain(number);

  const wallet = await walletOf(UPHELD);
  await expect(wallet.getByTestId("colour")).toHaveText("黄码");
  await expect(wallet.getByTestId("reason")).toContainText("浙江疾控中心 1");
  await wallet.close();
});

test("a resident contests in the wallet; an officer proposes to uphold it, another agrees, and the code is green again", async () => {
  const wallet = await walletOf(UPHELD);
  await wallet.getByTestId("reason").getByRole("button", { name: "对此提出异议" }).click();
  await wallet.getByLabel("理由").fill(`${HOSTILE} 那天我在出差`);
  await wallet.getByRole("button", { name: "提交" }).click();
  await expect(wallet.getByText("答复期限")).toBeVisible();
  await wallet.goto(`${federation.url}#/status`);
  await wallet.reload();
  await expect(wallet.getByTestId("appeal")).toContainText("待裁定");
  await expect(wallet.getByTestId("appeal")).toContainText("期限");

  const { page } = clerk;
  await to(page, "申诉");
  const line = page.getByTestId("appeal");
  await expect(line).toHaveCount(1);
  await expect(line.getByTestId("due")).toContainText(/剩余 (8小时|7小时5\d分钟)/);
  await expect(page.getByTestId("counts")).toContainText("超期: 0");
  await clean(page);
  await picture(page, "real-appeals-zh-phone");
  await line.getByRole("link").click();
  await expect(page.getByTestId("said")).toContainText(`${HOSTILE} 那天我在出差`);
  await expect(page.getByTestId("case")).toContainText("密接的密接");
  expect(await page.locator("body").innerText()).not.toContain(federation.person(UPHELD).number);
  await page.getByLabel("成立:撤销该事件", { exact: true }).check();
  await page.getByLabel("答复当事人的话").fill(`经核对车票，该记录有误。${HOSTILE}`);
  await page.getByLabel("依据").fill("车票复印件 7 号");
  await clean(page);
  await picture(page, "real-appeal-zh-phone");
  await page.getByRole("button", { name: "提交裁定" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  await page.getByRole("link", { name: "查看该提案" }).click();
  await expect(page.getByText("这是您本人提出的，须由另一位同事判断")).toBeVisible();

  const desk = approver.page;
  await to(desk, "待判断");
  await desk.getByTestId("line").first().getByRole("link").click();
  await expect(desk.getByTestId("decision")).toContainText("成立");
  await expect(desk.getByTestId("case")).toContainText("那天我在出差");
  await clean(desk);
  await agrees(desk);

  await wallet.reload();
  await expect(wallet.getByTestId("colour")).toHaveText("绿码");
  const appeal = wallet.getByTestId("appeal");
  await expect(appeal).toContainText("密接的密接");
  await expect(appeal).toContainText("成立，该事件已撤销");
  await expect(appeal).toContainText(`经核对车票，该记录有误。${HOSTILE}`);
  await clean(wallet);
  await picture(wallet, "real-wallet-upheld-zh-phone");
  await wallet.goto(`${federation.url}#/more`);
  await expect(wallet.getByText("裁定我的申诉，只看到有争议的事件").first()).toBeVisible();
  await to(page, "申诉");
  await expect(page.getByText("没有待裁定的申诉。")).toBeVisible();
  await wallet.close();
});

test("an appeal that is dismissed leaves the colour, and tells the resident why", async () => {
  const { number } = federation.person(DISMISSED);
  const { page } = clerk;
  await statesContact(page, number);
  await proposes(page);
  await agrees(approver.page);
  const wallet = await walletOf(DISMISSED);
  await expect(wallet.getByTestId("colour")).toHaveText("黄码");
  await wallet.getByTestId("reason").getByRole("button", { name: "对此提出异议" }).click();
  await wallet.getByLabel("理由").fill("我不认识此人");
  await wallet.getByRole("button", { name: "提交" }).click();
  await expect(wallet.getByText("答复期限")).toBeVisible();

  await to(page, "申诉");
  await page.getByTestId("appeal").getByRole("link").click();
  await page.getByLabel("不成立:该事件保留").check();
  await page.getByLabel("答复当事人的话").fill("同乘记录属实，您与其同车。");
  await page.getByLabel("依据").fill("同乘记录 9 号");
  await page.getByRole("button", { name: "提交裁定" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  await agrees(approver.page);

  await wallet.goto(`${federation.url}#/status`);
  await wallet.reload();
  await expect(wallet.getByTestId("colour")).toHaveText("黄码");
  await expect(wallet.getByTestId("appeal")).toContainText("不成立，该事件保留");
  await expect(wallet.getByTestId("appeal")).toContainText("同乘记录属实，您与其同车。");
  await wallet.close();
});

test("who has no phone is named a proxy by two persons, and sees later by whom, and ends it", async ({ browser }) => {
  const phone = await browser.newContext({ viewport: { width: 360, height: 720 } });
  const proxy = await phone.newPage();
  await proxy.goto(federation.url);
  await proxy.getByRole("button", { name: "我替他人办理" }).click();
  await proxy.getByLabel("您如何称呼此人").fill("奶奶");
  await proxy.getByRole("button", { name: "添加" }).click();
  const code = (await proxy.getByTestId("mandate-text").innerText()).trim();

  await to(clerk.page, "代办人");
  await clerk.page.getByLabel("身份证号码").fill(federation.person(PHONELESS).number);
  await clerk.page.getByLabel("代码").fill(code);
  await clerk.page.getByLabel("截止").fill(fieldOf(-240).slice(0, 10));
  await clerk.page.getByLabel("依据").fill(`窗口核对本人证件 ${HOSTILE}`);
  await proposes(clerk.page);
  await to(approver.page, "待判断");
  await approver.page.getByTestId("line").first().getByRole("link").click();
  await expect(approver.page.getByTestId("naming")).toContainText(code);
  await clean(approver.page);
  await picture(approver.page, "real-naming-zh-desk");
  await agrees(approver.page);
  await proxy.getByRole("button", { name: "查看是否已同意" }).click();
  await expect(proxy.getByText("已获同意")).toBeVisible();

  // Later there is a phone after all.
  const own = await (await browser.newContext({ viewport: { width: 360, height: 720 } })).newPage();
  await registered(own, federation, PHONELESS);
  await own.goto(federation.url);
  await own.getByRole("button", { name: "其他功能" }).click();
  await own.getByRole("button", { name: "家人代办" }).click();
  await expect(own.getByTestId("named-by")).toHaveText(/由机构指定:\s*浙江社区 1/);
  await clean(own);
  await picture(own, "real-named-by-zh-phone");
  await own.getByRole("button", { name: "返回" }).click();
  await own.getByRole("button", { name: "其他功能" }).click();
  await expect(own.getByText(/浙江社区 1 · 为我指定了代办人/)).toBeVisible();
  await own.getByRole("button", { name: "家人代办" }).click();
  await own.getByRole("button", { name: "立即终止" }).click();
  await own.getByRole("button", { name: "确定" }).click();
  await expect(own.getByTestId("proxy")).toHaveCount(0);
  await proxy.getByRole("button", { name: "查看是否已同意" }).click();
  await expect(proxy.getByText("已获同意")).toHaveCount(0);
  await own.context().close();
  await phone.close();
});

test("a refusal has words, which who proposed it reads; what is taken back waits no more", async () => {
  const { page } = clerk;
  await statesContact(page, federation.person(3).number);
  await proposes(page);
  const desk = approver.page;
  await to(desk, "待判断");
  await desk.getByTestId("line").first().getByRole("link").click();
  await desk.getByRole("button", { name: "不同意" }).click();
  await desk.getByRole("button", { name: "确定不同意" }).click();
  await expect(desk.getByText("请写明理由")).toBeVisible();
  await desk.getByLabel("理由").fill(`号码与流调记录不符 ${HOSTILE}`);
  await desk.getByRole("button", { name: "确定不同意" }).click();
  await expect(desk.getByTestId("state")).toContainText("不同意");
  await page.getByRole("link", { name: "查看该提案" }).click();
  await expect(page.getByText(`号码与流调记录不符 ${HOSTILE}`)).toBeVisible();

  await statesContact(page, federation.person(3).number);
  await proposes(page);
  await page.getByRole("link", { name: "查看该提案" }).click();
  await page.getByRole("button", { name: "撤回" }).click();
  await page.getByRole("button", { name: "确定" }).click();
  await expect(page.getByTestId("state")).toContainText("已撤回");
  await to(desk, "待判断");
  await expect(desk.getByText("没有待判断的提案。")).toBeVisible();
});

test("a form that is being written outlives its session", async () => {
  const { page, context } = clerk;
  const { number } = federation.person(4);
  await statesContact(page, number);
  await context.clearCookies();
  await page.getByRole("button", { name: "提交" }).click();
  const dialog = page.getByRole("dialog", { name: "需要重新登录" });
  await expect(dialog).toBeVisible();
  await expect(page.locator("[name=number]")).toBeHidden();
  await dialog.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(page.getByText("须由另一位同事在此之前判断")).toBeVisible();
  await page.getByRole("link", { name: "查看该提案" }).click();
  await expect(page.getByTestId("number")).toContainText(number);
  await page.getByRole("button", { name: "撤回" }).click();
  await page.getByRole("button", { name: "确定" }).click();
  await expect(page.getByTestId("state")).toContainText("已撤回");
});

test("an auditor sees what was done and by whom, without the people it was about; an operator sees the node", async () => {
  const { page } = approver;
  await to(page, "操作记录");
  await expect(page.getByTestId("head")).toHaveText(/^[0-9a-f]{64}$/);
  const acts = page.getByTestId("act");
  for (const words of ["登记了通行密钥", ": 登录", ": 提出", "查看提案", "查看申诉", ": 同意", "节点已收下", ": 不同意", ": 撤回"]) {
    await expect(acts.filter({ hasText: words }).first()).toBeVisible();
  }
  await expect(acts.filter({ hasText: CLERK }).first()).toBeVisible();
  await expect(acts.filter({ hasText: APPROVER }).first()).toBeVisible();
  const told = await page.locator("body").innerText();
  for (const number of [UPHELD, DISMISSED, 3, 4, PHONELESS]) expect(told).not.toContain(federation.person(number).number);
  await clean(page);
  await picture(page, "real-acts-zh-desk");
  await to(page, "概况");
  await expect(page.getByTestId("node")).toContainText("居民");
  await expect(page.getByTestId("list")).toContainText("浙江");
  await expect(page.getByTestId("rules").first()).toContainText("现行");
  await clean(page);
  await picture(page, "real-overview-zh-desk");
});

test("who is taken out of the list is signed out, and their passkey is nobody's", async () => {
  const { page, id } = clerk;
  institution.dismiss(id);
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("button", { name: "用通行密钥登录" })).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
  await page.getByRole("button", { name: "用通行密钥登录" }).click();
  await expect(page.getByRole("alert")).toContainText("PASSKEY_REFUSED");
  await institution.stop();
  expect(institution.check()).toBe(0);
});
