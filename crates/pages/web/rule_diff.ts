// What one rule set says and another does not. Knows texts alone: not which of two is in force.

import type { Clearing, GetRuleTextResponse, Offset, Row, Rule, RuleSet, Text } from "@viridian/wire/public";

/** A rule that both have under one number, with other words or other rows. */
export interface ChangedRule {
  before: Rule;
  after: Rule;
  /** Whether the words differ, in either language. */
  hasOtherWords: boolean;
  /** Rows that it no longer has, and those that are new; a row that changed is in both. */
  rowsGone: Row[];
  rowsNew: Row[];
}

export interface RuleDiff {
  /** Rules that are new, in the order of the new set. */
  added: Rule[];
  /** Rules that are gone, in the order of the old one. */
  gone: Rule[];
  changed: ChangedRule[];
  /** Rules that only have another number. */
  renumbered: { before: Rule; after: Rule }[];
  /** Where what is said of everything else differs. */
  otherwise: { before: Text | undefined; after: Text | undefined } | null;
  /** Where the hours differ that a listing reaches back. */
  lookback: { before: number[]; after: number[] } | null;
}

/** Whether nothing differs. */
export function isSame(diff: RuleDiff): boolean {
  const lists = [diff.added, diff.gone, diff.changed, diff.renumbered];
  return lists.every((list) => list.length === 0) && diff.otherwise === null && diff.lookback === null;
}

const ofText = (text: Text | undefined) => [text?.zh ?? "", text?.en ?? ""];
const ofOffset = (offset: Offset | undefined) => (offset ? [offset.hours, offset.days] : null);
const ofClearing = (c: Clearing) => [ofOffset(c.after), c.negatives, c.gapHours, c.spanHours, c.negativesFromHours, c.checkInDays];
const ofRow = (row: Row) =>
  JSON.stringify([
    [...row.keys].sort((a, b) => a - b),
    row.first,
    ofOffset(row.switchAt),
    row.switchAt ? row.then : row.first,
    ofOffset(row.lapse),
    row.clearings.map(ofClearing),
  ]);
const ofWords = (rule: Rule) => JSON.stringify(ofText(rule.text));
/** All that a rule says, but for its number and where it was published. */
const ofRule = (rule: Rule) => JSON.stringify([ofWords(rule), rule.rows.map(ofRow).sort()]);

/** Pairs each rule with the first of the others that fits and is free. */
function pair(before: Rule[], after: Rule[], fits: (a: Rule, b: Rule) => boolean) {
  const free = [...after];
  const pairs: { before: Rule; after: Rule }[] = [];
  const left = before.filter((rule) => {
    const at = free.findIndex((other) => fits(rule, other));
    if (at < 0) return true;
    pairs.push({ before: rule, after: free.splice(at, 1)[0]! });
    return false;
  });
  return { pairs, before: left, after: free };
}

function changedRule({ before, after }: { before: Rule; after: Rule }): ChangedRule {
  const [old, young] = [new Set(before.rows.map(ofRow)), new Set(after.rows.map(ofRow))];
  return {
    before,
    after,
    hasOtherWords: ofWords(before) !== ofWords(after),
    rowsGone: before.rows.filter((row) => !young.has(ofRow(row))),
    rowsNew: after.rows.filter((row) => !old.has(ofRow(row))),
  };
}

/** What becomes other from one text to another. Rules that say the same are the same, whatever their number; of the rest those of one number. */
export function ruleDiff(before: GetRuleTextResponse, after: GetRuleTextResponse): RuleDiff {
  const isOne = (a: Rule, b: Rule) => a.ruleId === b.ruleId;
  const saysTheSame = (a: Rule, b: Rule) => ofRule(a) === ofRule(b);
  const same = pair(before.rules, after.rules, (a, b) => isOne(a, b) && saysTheSame(a, b));
  const moved = pair(same.before, same.after, saysTheSame);
  const other = pair(moved.before, moved.after, isOne);
  const hasOther = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
  return {
    added: other.after,
    gone: other.before,
    changed: other.pairs.map(changedRule),
    renumbered: moved.pairs,
    otherwise: hasOther(ofText(before.otherwise), ofText(after.otherwise)) ? { before: before.otherwise, after: after.otherwise } : null,
    lookback: hasOther(before.lookbackHours, after.lookbackHours) ? { before: before.lookbackHours, after: after.lookbackHours } : null,
  };
}

/** Whether a rule set is in force at a minute. */
export function isInForce(set: RuleSet, minute: number): boolean {
  return set.fromMinute <= minute && (set.untilMinute === 0 || minute < set.untilMinute);
}

/** What an announced rule set takes the place of: the one in force of the same scope, else the nation's; of several the one that began last. */
export function inForceBefore(set: RuleSet, sets: RuleSet[], minute: number): RuleSet | null {
  const inForce = sets.filter((other) => isInForce(other, minute)).sort((a, b) => b.fromMinute - a.fromMinute);
  return inForce.find((other) => other.scope === set.scope) ?? inForce.find((other) => other.scope === 0) ?? null;
}
