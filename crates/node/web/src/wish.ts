// What a pass is asked for: what gates ask, and under which rule set.

import { Colour, TestAge } from "@viridian/wire/pass";

import { keepSetting, setting } from "../../../pages/web/settings.ts";

export interface Wish {
  worst: "green" | "not-red";
  /** Hours; 0 asks for no test. */
  testAge: 0 | 24 | 48 | 72;
  /** Identifier of a rule set; empty for the nation's. */
  ruleSet: string;
}

export const TEST_AGES = [0, 24, 48, 72] as const;
const FIRST: Wish = { worst: "green", testAge: 0, ruleSet: "" };
const KEPT_AS = "wish";

/** Its name in the storage. */
export function wishName(wish: Wish): string {
  return `${wish.worst}/${wish.testAge}/${wish.ruleSet}`;
}

export function claimOf(wish: Wish): { worst: Colour; testAge: TestAge } {
  const ages = { 0: TestAge.NOT_ASKED, 24: TestAge.HOURS_24, 48: TestAge.HOURS_48, 72: TestAge.HOURS_72 };
  return { worst: wish.worst === "green" ? Colour.GREEN : Colour.YELLOW, testAge: ages[wish.testAge] };
}

export function keptWish(): Wish {
  try {
    const wish = JSON.parse(setting(KEPT_AS) ?? "null") as Partial<Wish> | null;
    if (!wish || (wish.worst !== "green" && wish.worst !== "not-red")) return FIRST;
    const testAge = TEST_AGES.find((age) => age === wish.testAge);
    if (testAge === undefined || typeof wish.ruleSet !== "string") return FIRST;
    return { worst: wish.worst, testAge, ruleSet: wish.ruleSet.slice(0, 32) };
  } catch {
    return FIRST;
  }
}

export function keepWish(wish: Wish): void {
  keepSetting(KEPT_AS, JSON.stringify(wish));
}
