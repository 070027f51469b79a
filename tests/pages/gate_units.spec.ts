// Parts of the gate's page that need no page: the supervisor's lock, and when a setting asks for less.

import { expect, test } from "@playwright/test";

import { about, behindListS, clockWords } from "../../crates/checkpoint/web/src/clock.ts";
import { Guard, isPin, leftMs, waitMs, type Lock, type Tried } from "../../crates/checkpoint/web/src/lock.ts";
import type { Setting, Store } from "../../crates/checkpoint/web/src/store.ts";
import { weakerIn } from "../../crates/checkpoint/web/src/weaker.ts";
import { WEAKER } from "../../crates/checkpoint/web/src/words.ts";
import { hourText } from "../../crates/pages/web/dates.ts";

/** 1 September 2022, 22:00 in China. */
const HOUR = Date.UTC(2022, 8, 1, 14) / 3_600_000;

test("an hour is said with its day, in UTC+8, and midnight is 0", () => {
  expect([hourText("zh", HOUR), hourText("zh", HOUR + 2)]).toEqual(["9月1日 22时", "9月2日 0时"]);
  expect([hourText("en", HOUR), hourText("en", HOUR + 2)]).toEqual([expect.stringMatching(/^1 Sept?, 22:00$/), expect.stringMatching(/^2 Sept?, 00:00$/)]);
});

test("a time is said in the units that people read it in", () => {
  expect([20, 7_199, 5_400, 3_570, 86_400 * 3].map((seconds) => about(seconds))).toEqual([
    { zh: "20秒", en: "20 s" },
    { zh: "2小时", en: "2 h" },
    { zh: "1小时30分钟", en: "1 h 30 min" },
    { zh: "1小时", en: "1 h" },
    { zh: "3天", en: "3 days" },
  ]);
});

test("a clock is said to be off by the checkpoint's, or by the list that was refused for it", () => {
  const refusal = "Error: the list was issued at 1795826400, it is 1795819770";
  expect(behindListS(refusal)).toBe(6_630);
  expect(behindListS("Error: the list ended at 1795826400, it is 1795829770")).toBeNull();
  expect(clockWords(-7_199, 6_630)?.en).toContain("2 h behind the checkpoint's");
  expect(clockWords(null, 6_630)?.en).toContain("1 h 51 min behind the time at which the trust list was issued");
  expect(clockWords(3, 6_630)?.zh).toContain("早1小时51分钟");
  expect(clockWords(20, null)).toBeNull();
});

const MINUTE_MS = 60_000;

/** A storage of a lock alone, and what was kept in it one after the other. */
function storage(): { store: Store; kept: Lock[] } {
  const kept: Lock[] = [];
  const store = {
    lock: () => Promise.resolve(kept.at(-1)),
    keepLock: (lock: Lock) => Promise.resolve(void kept.push(lock)),
  };
  return { store: store as unknown as Store, kept };
}

/** A wait of so many seconds, some of which may have passed. */
function isWait(tried: Tried, ofS: number): void {
  const left = typeof tried === "object" ? tried.waitS : 0;
  expect(left).toBeGreaterThan(ofS - 20);
  expect(left).toBeLessThanOrEqual(ofS);
}

test("a PIN has 4 to 12 digits", () => {
  for (const good of ["0000", "123456789012"]) expect(isPin(good)).toBe(true);
  for (const bad of ["", "123", "1234567890123", "12a4", "１２３４", "1234\n", " 1234"]) expect(isPin(bad)).toBe(false);
});

test("each wait is twice the one before, up to an hour, and no clock that is set makes it longer", () => {
  expect([0, 1, 2, 3, 6, 7, 8, 100].map((waits) => waitMs(waits) / MINUTE_MS)).toEqual([0, 1, 2, 4, 32, 60, 60, 60]);
  const lock = { until: 10 * MINUTE_MS, waits: 2 };
  expect(leftMs(lock, 9 * MINUTE_MS)).toBe(MINUTE_MS);
  expect(leftMs(lock, 11 * MINUTE_MS)).toBe(0);
  expect(leftMs(lock, -1_000 * MINUTE_MS)).toBe(2 * MINUTE_MS);
  expect(leftMs({ until: 0, waits: 3 }, 5)).toBe(0);
});

test("the right PIN opens, a try is counted before it is looked at, and five wrong ones are waited for", async () => {
  const { store, kept } = storage();
  const guard = new Guard(store);
  expect(await guard.isSet()).toBe(false);
  expect(await guard.try("2718")).toBe("wrong");
  await expect(guard.set("27")).rejects.toThrow(RangeError);
  await guard.set("2718");
  expect(await guard.isSet()).toBe(true);
  expect(kept[0]!.rounds).toBeGreaterThanOrEqual(210_000);
  expect(new TextDecoder().decode(kept[0]!.digest)).not.toContain("2718");
  expect(await guard.try("2718")).toBe("right");
  // First as wrong, then as nothing.
  expect(kept.slice(1).map((lock) => lock.wrong)).toEqual([1, 0]);

  for (let tries = 0; tries < 4; tries++) expect(await guard.try("0000")).toBe("wrong");
  isWait(await guard.try("0000"), 60);
  // Not even the right one meanwhile, and nobody learns that it is.
  const before = kept.length;
  isWait(await guard.try("2718"), 60);
  expect(kept).toHaveLength(before);
  kept.push({ ...kept.at(-1)!, until: Date.now() - 1 });
  for (let tries = 0; tries < 4; tries++) expect(await guard.try("0000")).toBe("wrong");
  isWait(await guard.try("0000"), 120);
  kept.push({ ...kept.at(-1)!, until: Date.now() - 1 });
  expect(await guard.try("2718")).toBe("right");
  expect(kept.at(-1)).toMatchObject({ wrong: 0, waits: 0, until: 0 });
});

test("of two tries at once one is looked at", async () => {
  const { store, kept } = storage();
  const guard = new Guard(store);
  await guard.set("2718");
  const tried = await Promise.all([guard.try("0000"), guard.try("2718")]);
  expect(tried).toEqual(["wrong", "wrong"]);
  expect(kept.at(-1)!.wrong).toBe(1);
});

test("two locks of one PIN have nothing in common", async () => {
  const { store, kept } = storage();
  const guard = new Guard(store);
  await guard.set("2718");
  await guard.set("2718");
  expect(kept[0]!.salt).not.toEqual(kept[1]!.salt);
  expect(kept[0]!.digest).not.toEqual(kept[1]!.digest);
});

const SETTING: Setting = {
  province: 36,
  gateId: new Uint8Array(8),
  rootKeys: Uint8Array.of(1, 2),
  rootThreshold: 2,
  admitsSpecimens: false,
  slotSkew: 1,
  profile: "strict",
  refreshEveryS: 600,
  clockOffsetS: 0,
  simulatedClock: false,
  temperatureLimit: 373,
};

/** As the verifier would say it of two profiles. */
const asksNoLess = (profile: string, than: string) => profile === than || (profile === "strict" && than === "loose");

test("a setting asks for less in each thing that lets more pass, and in nothing else", () => {
  const weaker = (changed: Partial<Setting>, before = SETTING, rule = {}) => weakerIn({ ...before, ...changed }, before, rule, asksNoLess);
  for (const [changed, words] of [
    [{ profile: "loose" }, WEAKER.profile],
    [{ profile: "unknown" }, WEAKER.profile],
    [{ temperatureLimit: 0 }, WEAKER.temperature],
    [{ temperatureLimit: 374 }, WEAKER.temperature],
    [{ admitsSpecimens: true }, WEAKER.specimens],
    [{ slotSkew: 2 }, WEAKER.skew],
    [{ province: 33 }, WEAKER.province],
    [{ rootKeys: Uint8Array.of(1, 3) }, WEAKER.keys],
    [{ rootThreshold: 1 }, WEAKER.keys],
    [{ simulatedClock: true }, WEAKER.clock],
  ] as const) {
    expect(weaker(changed), JSON.stringify(changed)).toEqual([words]);
  }
  for (const changed of [
    {},
    { temperatureLimit: 372 },
    { slotSkew: 0 },
    { rootThreshold: 3 },
    { gateId: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    { refreshEveryS: 60, clockOffsetS: 5 },
  ]) {
    expect(weaker(changed), JSON.stringify(changed)).toEqual([]);
  }
  expect(weaker({ profile: "strict" }, { ...SETTING, profile: "loose" })).toEqual([]);
  expect(weaker({ temperatureLimit: 373 }, { ...SETTING, temperatureLimit: 0 })).toEqual([]);
  expect(weaker({ simulatedClock: false }, { ...SETTING, simulatedClock: true })).toEqual([]);
  // What a supervisor chose stays whatever the checkpoint says.
  expect(weaker({ profile: "loose", temperatureLimit: 0 }, SETTING, { profile: "strict", temperatureLimit: 370 })).toEqual([]);
});
