// What one rule set says and another does not: needs no page.

import { expect, test } from "@playwright/test";

import { inForceBefore, isSame, ruleDiff } from "../../crates/pages/web/rule_diff.ts";

type Texts = Parameters<typeof ruleDiff>[0];
type Rule = Texts["rules"][number];
type RuleSet = Parameters<typeof inForceBefore>[0];

const [GREEN, YELLOW, RED] = [1, 2, 3];

function row(keys: number[], first: number, lapseHours = 0, negatives = 0) {
  return {
    keys,
    first,
    then: first,
    ...(lapseHours > 0 ? { lapse: { hours: lapseHours, days: 0 } } : {}),
    clearings:
      negatives > 0 ? [{ after: { hours: 0, days: 8 }, negatives, gapHours: 24, spanHours: 72, negativesFromHours: -4, checkInDays: 0 }] : [],
  };
}

function rule(ruleId: string, words: string, ...rows: ReturnType<typeof row>[]): Rule {
  return { ruleId, text: { zh: words, en: words }, source: `item ${ruleId}`, rows } as unknown as Rule;
}

function texts(rules: Rule[], more: object = {}): Texts {
  return { rules, lookbackHours: [0, 0, 336], otherwise: { zh: "其他", en: "else" }, ...more } as unknown as Texts;
}

const A = rule("R1", "cases are red", row([1, 2], RED));
const B = rule("R2", "contacts are red", row([5], RED, 0, 1));
const C = rule("Y1", "tubes are yellow for 12 hours", row([14], YELLOW, 12));

test("two texts that say the same differ in nothing, in whatever order their rows and keys stand and wherever they were published", () => {
  const again = rule("R1", "cases are red", row([2, 1], RED));
  again.source = "elsewhere";
  expect(isSame(ruleDiff(texts([A, B, C]), texts([again, C, B])))).toBe(true);
});

test("rules are new, gone, changed or only numbered otherwise, each in one list", () => {
  const longer = rule("Y1", "tubes are yellow for 24 hours", row([14], YELLOW, 24));
  const late = rule("Y2", "symptoms are yellow", row([15], YELLOW));
  const moved = { ...B, ruleId: "R9" } as Rule;
  const gone = rule("R3", "linked are yellow", row([11], YELLOW));
  const diff = ruleDiff(texts([A, B, gone, C]), texts([A, longer, late, moved]));
  expect(diff.added.map((one) => one.ruleId)).toEqual(["Y2"]);
  expect(diff.gone.map((one) => one.ruleId)).toEqual(["R3"]);
  expect(diff.renumbered.map(({ before, after }) => [before.ruleId, after.ruleId])).toEqual([["R2", "R9"]]);
  expect(diff.changed).toHaveLength(1);
  const [changed] = diff.changed;
  expect(changed).toMatchObject({ hasOtherWords: true, before: C, after: longer });
  expect([changed!.rowsGone, changed!.rowsNew]).toEqual([C.rows, longer.rows]);
  expect(isSame(diff)).toBe(false);
});

test("a rule that was put in between moves the numbers of those behind it, and makes none of them other", () => {
  const rules = (...of: Rule[]) => texts(of.map((one, i) => ({ ...one, ruleId: `R${i + 1}` }) as Rule));
  const put = rule("", "symptoms are yellow", row([15], YELLOW));
  const diff = ruleDiff(rules(A, B, C), rules(A, put, B, C));
  expect(diff.renumbered.map(({ before, after }) => [before.ruleId, after.ruleId])).toEqual([
    ["R2", "R3"],
    ["R3", "R4"],
  ]);
  expect(diff.added.map((one) => one.text!.en)).toEqual(["symptoms are yellow"]);
  expect([diff.gone, diff.changed]).toEqual([[], []]);
});

test("each part of a row counts, and so do the words of one language alone", () => {
  const same = () => row([5], RED, 12, 1);
  const clearing = (part: object) => ({ ...same(), clearings: [{ ...same().clearings[0]!, ...part }] });
  const others = [
    { ...same(), keys: [5, 6] },
    { ...same(), first: YELLOW, then: YELLOW },
    { ...same(), switchAt: { hours: 0, days: 8 }, then: YELLOW },
    { ...same(), lapse: { hours: 0, days: 12 } },
    { ...same(), lapse: undefined },
    { ...same(), clearings: [] },
    clearing({ after: { hours: 8, days: 0 } }),
    clearing({ negatives: 2 }),
    clearing({ gapHours: 12 }),
    clearing({ spanHours: 48 }),
    clearing({ negativesFromHours: 4 }),
    clearing({ checkInDays: 7 }),
  ];
  for (const other of others) {
    const diff = ruleDiff(texts([rule("R1", "w", same())]), texts([rule("R1", "w", other as ReturnType<typeof row>)]));
    expect(diff.changed, JSON.stringify(other)).toMatchObject([{ hasOtherWords: false, rowsGone: [same()], rowsNew: [other] }]);
  }
  const later = (then: number) => ({ ...same(), switchAt: { hours: 0, days: 8 }, then }) as ReturnType<typeof row>;
  expect(ruleDiff(texts([rule("R1", "w", later(YELLOW))]), texts([rule("R1", "w", later(GREEN))])).changed).toHaveLength(1);
  for (const language of ["zh", "en"]) {
    const other = { ...A, text: { ...A.text, [language]: "other words" } } as Rule;
    expect(ruleDiff(texts([A]), texts([other])).changed).toMatchObject([{ hasOtherWords: true, rowsGone: [], rowsNew: [] }]);
  }
});

test("what is said of everything else, and how far a listing reaches back, is compared as well", () => {
  const diff = ruleDiff(texts([A]), texts([A], { lookbackHours: [0, 0, 240], otherwise: undefined }));
  expect(diff.lookback).toEqual({ before: [0, 0, 336], after: [0, 0, 240] });
  expect(diff.otherwise).toMatchObject({ before: { en: "else" }, after: undefined });
  expect(isSame(diff)).toBe(false);
});

test("an announced set takes the place of the one in force of its province, else of the nation's, else of none", () => {
  const set = (ruleSetId: string, scope: number, fromMinute: number, untilMinute = 0) =>
    ({ ruleSetId, scope, fromMinute, untilMinute }) as unknown as RuleSet;
  const [nation, old, own, over] = [set("n", 0, 10), set("o", 35, 20), set("p", 35, 30), set("q", 33, 10, 40)];
  const coming = (scope: number) => set("new", scope, 100);
  const name = (scope: number, sets: RuleSet[], minute = 50) => inForceBefore(coming(scope), [coming(scope), ...sets], minute)?.ruleSetId;
  expect(name(35, [nation, old, own, over])).toBe("p");
  expect(name(33, [nation, old, own, over])).toBe("n");
  expect(name(33, [nation, old, own, over], 39)).toBe("q");
  expect(name(33, [old, own, over])).toBeUndefined();
});
