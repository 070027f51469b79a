// Declaring a stay: the place by its names, by a part of a name, by its code; what is said back; the same without a network.

import { expect, test, type BrowserContext, type Page } from "@playwright/test";

import { Areas } from "../../crates/node/web/src/areas.ts";
import { openStays } from "../../crates/node/web/src/open_stays.ts";
import { clean, Federation, installed, registered } from "./wallet.ts";

test.setTimeout(180_000);

let federation: Federation;
let phone: BrowserContext;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(600_000);
  federation = await Federation.start();
  phone = await browser.newContext({ viewport: { width: 360, height: 720 } });
  const page = await phone.newPage();
  await registered(page, federation, 1);
  await installed(page);
  await page.close();
});
test.afterAll(async () => {
  await phone?.close();
  await federation?.stop();
});

async function opened(): Promise<Page> {
  const page = await phone.newPage();
  await page.goto(`${federation.url}#/trip`);
  await expect(page.getByLabel("省份")).toHaveValue("33");
  return page;
}

const place = (page: Page) => page.getByTestId("place");
const search = (page: Page) => page.getByLabel("查找地名或代码");

async function declare(page: Page): Promise<void> {
  await page.getByRole("button", { name: "申报" }).click();
}

test("a stay is declared by the names of its place, said back, and not declared by another tap", async () => {
  const page = await opened();
  // The home's province comes first, its cities are there at once.
  expect(await page.getByLabel("省份").locator("option").nth(1).textContent()).toBe("浙江省");
  await page.getByLabel("城市").selectOption("杭州市");
  await page.getByLabel("区县").selectOption("上城区");
  await declare(page);
  await expect(page.getByRole("alert")).toContainText("请选择地点，直到街道或乡镇");
  await page.getByLabel("街道或乡镇").selectOption("清波街道");
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(place(page)).toHaveText("浙江省杭州市上城区清波街道 (330102001)");
  await clean(page);
  await declare(page);
  await expect(page.getByText("已申报")).toContainText("浙江省杭州市上城区清波街道 (330102001)");
  await expect(page.getByText("已申报")).toContainText("仍在");
  await expect(place(page)).toContainText("请继续选择");
  await expect(page.getByLabel("城市")).toHaveValue("");
  await declare(page);
  await expect(page.getByRole("alert")).toContainText("请选择地点");
  await page.goto(`${federation.url}#/receipts`);
  await expect(page.getByTestId("receipt")).toHaveCount(1);
  await expect(page.getByTestId("receipt")).toContainText("浙江省杭州市上城区清波街道 (330102001)");
  await page.close();
});

test("a stay that goes on is ended by saying when it was left", async () => {
  const page = await opened();
  await search(page).fill("110101002");
  await expect(place(page)).toContainText("景山街道");
  const arrived = await page.evaluate(() => new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 11) + "08:00");
  await page.getByLabel("到达").fill(arrived);
  await declare(page);
  const stay = page.getByTestId("staying").filter({ hasText: "北京市东城区景山街道" });
  await stay.getByRole("button", { name: "已离开此地" }).click();
  await expect(page.getByLabel("离开时间")).toBeFocused();
  await page.getByLabel("离开时间").fill("2020-01-01T00:00");
  await stay.getByRole("button", { name: "申报离开" }).click();
  await expect(stay.getByRole("alert")).toContainText("离开不得早于到达");
  await clean(page);
  await page.getByLabel("离开时间").fill(arrived.replace("T08:00", "T09:30"));
  await stay.getByRole("button", { name: "申报离开" }).click();
  await expect(page.getByText("已申报")).toContainText("09:30");
  await expect(stay).toHaveCount(0);
  await page.goto(`${federation.url}#/receipts`);
  await expect(page.getByTestId("receipt").filter({ hasText: "景山街道" })).toHaveCount(2);
  await page.close();
});

test("another province's list is fetched when it is chosen, and where there is no city none is asked for", async () => {
  const page = await opened();
  const list = page.waitForRequest(/areas-11-[0-9a-f]{8}\.txt$/);
  await page.getByLabel("省份").selectOption("北京市");
  await list;
  await expect(page.getByLabel("城市")).toHaveCount(0);
  await page.getByLabel("区县").selectOption("东城区");
  await page.getByLabel("街道或乡镇").selectOption("景山街道");
  await expect(place(page)).toHaveText("北京市东城区景山街道 (110101002)");
  await page.close();
});

test("a place is found by a part of its name, everywhere down to counties and in the province down to streets", async () => {
  const page = await opened();
  await search(page).fill("杭州");
  await page.getByRole("button", { name: "浙江省 杭州市", exact: true }).click();
  await expect(place(page)).toContainText("浙江省杭州市");
  await expect(page.getByLabel("区县")).toBeFocused();
  await search(page).fill("笕桥");
  await page.getByRole("button", { name: "浙江省 杭州市 上城区 笕桥街道" }).click();
  await expect(place(page)).toHaveText("浙江省杭州市上城区笕桥街道 (330102016)");
  // A city of another province, by the key; the form is not sent by it.
  await search(page).fill("武汉");
  await search(page).press("Enter");
  await expect(place(page)).toContainText("湖北省武汉市");
  await expect(page.getByLabel("城市")).toHaveValue("4201");
  await search(page).fill("西湖");
  await clean(page);
  await expect(page.locator(".found button").first()).toBeVisible();
  await search(page).fill("没有这种地方");
  await expect(page.getByText("没有找到")).toBeVisible();
  await page.close();
});

test("a code goes as far as it leads; one of no place is refused", async () => {
  const page = await opened();
  await search(page).fill("330102");
  await expect(page.getByLabel("区县")).toHaveValue("330102");
  await expect(place(page)).toContainText("浙江省杭州市上城区 请继续选择");
  await search(page).fill("330102001");
  await expect(place(page)).toHaveText("浙江省杭州市上城区清波街道 (330102001)");
  await declare(page);
  await expect(page.getByText("已申报")).toContainText("清波街道");
  await page.goto(`${federation.url}#/receipts`);
  await expect(page.getByTestId("receipt").first()).toBeVisible();
  const before = await page.getByTestId("receipt").count();
  await page.goto(`${federation.url}#/trip`);
  for (const code of ["330199999", "993102001", "3301020011", "330102999"]) {
    await search(page).fill("110101002");
    await expect(place(page)).toContainText("景山街道 (110101002)");
    await search(page).fill(code);
    await expect(page.getByRole("alert")).toContainText("没有这个代码");
    await declare(page);
  }
  await page.goto(`${federation.url}#/receipts`);
  await expect(page.getByTestId("receipt")).toHaveCount(before);
  await page.close();
});

test("without a network the lists that were there are there, and one that was not is said to be missing", async () => {
  const page = await opened();
  await page.getByLabel("省份").selectOption("海南省");
  await expect(page.getByLabel("城市").locator("option", { hasText: "海口市" })).toHaveCount(1);
  await phone.setOffline(true);
  await page.reload();
  await expect(page.getByLabel("省份")).toHaveValue("33");
  await search(page).fill("330102001");
  await expect(place(page)).toHaveText("浙江省杭州市上城区清波街道 (330102001)");
  await page.getByLabel("省份").selectOption("海南省");
  await search(page).fill("460105");
  await expect(page.getByLabel("街道或乡镇")).toBeVisible();
  await page.getByLabel("省份").selectOption("西藏自治区");
  await expect(page.getByRole("alert")).toContainText("地名表未能取得");
  await search(page).fill("330102001");
  await expect(page.getByRole("alert")).toHaveCount(0);
  // What cannot be sent stays.
  await declare(page);
  await expect(page.getByRole("alert")).toContainText("没有网络");
  await expect(place(page)).toContainText("清波街道");
  await phone.setOffline(false);
  await search(page).fill("540102");
  await expect(page.getByLabel("街道或乡镇")).toBeVisible();
  await page.close();
});

const NONE = new Uint8Array();
const UPPER = "11 北京市\n1101 市辖区\n110101 东城区\n33 浙江省\n3301 杭州市\n330102 上城区\n330106 西湖区\n35 福建省\n3505 泉州市\n350527 金门县\n36 江西省\n3601 南昌市\n360103 西湖区\n44 广东省\n4419 东莞市\n441900 东莞市";
const read = () => {
  const areas = new Areas();
  areas.add("all", UPPER);
  areas.add("33", "33 浙江省\n3301 杭州市\n330102 上城区\n001 清波街道\n330106 西湖区\n002 北山街道");
  return areas;
};

test("digits lead to the longest place that they name", () => {
  const areas = read();
  for (const [digits, code, isKnown] of [
    ["3", "", true],
    ["33", "33", true],
    ["330", "33", true],
    ["330102", "330102", true],
    ["330102000", "330102", true],
    ["330102001", "330102001", true],
    ["330199999", "3301", false],
    ["330102999", "330102", false],
    ["3301020011", "330102001", false],
    ["99", "", false],
  ] as const) {
    expect(areas.byDigits(digits), digits).toEqual({ code, isKnown });
  }
});

test("a street is declared, or a county that has none once its province's list is there", () => {
  const areas = read();
  expect(areas.declared("330102001")).toBe(330_102_001);
  for (const open of ["", "33", "3301", "330102", "330102999", "350527"]) expect(areas.declared(open), open).toBeNull();
  areas.add("35", "35 福建省\n3505 泉州市\n350527 金门县");
  expect(areas.declared("350527")).toBe(350_527_000);
  expect(areas.called(350_527_000)).toBe("福建省泉州市金门县");
  expect(areas.called(330_102_001)).toBe("浙江省杭州市上城区清波街道");
  expect(areas.called(330_102_999)).toBeNull();
  expect([areas.settled("44"), areas.settled("11"), areas.path("441900"), areas.path("110101")]).toEqual([
    "441900",
    "110101",
    ["广东省", "东莞市"],
    ["北京市", "东城区"],
  ]);
});

test("a stay goes on until its end is declared", () => {
  const receipt = (begin: number, end: number | "") =>
    ({ id: `${begin}${end}`, kind: "trip", at: 9, said: { area: 330_102_001, site: 0, begin, end }, event: NONE, receipt: NONE }) as const;
  const stay = (begin: number) => ({ area: 330_102_001, site: 0, begin, end: null });
  expect(openStays([receipt(1, ""), receipt(2, ""), receipt(2, ""), receipt(3, 4), receipt(1, 5)])).toEqual([stay(2)]);
});

test("names are found by their beginning, their middle, and what they lie in; those of the province first", () => {
  const areas = read();
  const found = (typed: string, province = "33") => areas.search(typed, province).map(({ code }) => code);
  expect(found("西湖")).toEqual(["330106", "360103"]);
  expect(found("西湖", "36")).toEqual(["360103", "330106"]);
  expect(found("杭州西湖")).toEqual(["330106"]);
  expect(found("浙江 上城区清波")).toEqual(["330102001"]);
  expect(found("清波", "36")).toEqual([]);
  expect(found("东莞")).toEqual(["4419"]);
  expect(found("市辖区")).toEqual([]);
  expect(found("  ")).toEqual([]);
});
