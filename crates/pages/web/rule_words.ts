// Keys, facts and rows of rules as people read them.

import type { Clearing, Offset } from "@viridian/wire/public";

import { w, type Language, type Words } from "./words.ts";

export const ROW_WORDS = {
  rowFor: w("适用于", "For"),
  thenColour: w("之后", "then"),
  endsItself: w("自动失效", "ends by itself"),
  waysOut: w("解除条件(满足任一)", "Ways out (any is enough)"),
  noWayOut: w("须由来源结束", "only its source can end it"),
} satisfies Record<string, Words>;

const FACTS: Words[] = [
  w("确诊病例", "confirmed case"),
  w("无症状感染者", "asymptomatic case"),
  w("疑似病例", "suspected case"),
  w("初筛阳性", "positive in screening"),
  w("密切接触者", "close contact"),
  w("密接的密接", "contact of a close contact"),
  w("入境", "entry from abroad"),
  w("接触阳性冷链物品一次", "touched positive cold-chain goods once"),
  w("经常接触冷链物品", "touches cold-chain goods as work"),
  w("发热门诊患者", "fever-clinic patient"),
  w("可能与阳性者有关", "possibly linked to a positive"),
  w("全国协查名单", "on the national assist list"),
  w("潜在风险", "potential risk"),
  w("混管阳性", "in a positive pooled tube"),
  w("申报有症状", "declared symptoms"),
];
const GRADES: Words[] = [w("未列入", "unlisted"), w("低风险", "low-risk"), w("中风险", "medium-risk"), w("高风险", "high-risk")];

/** What a kind of fact (`rules::FactKind`) is called. */
export function factWords(code: number): Words {
  return FACTS[code - 1] ?? w(`事实类别 ${code}`, `kind of fact ${code}`);
}

/** What a key (`rules::Key`) stands for: facts are kind + 16·ended + 32·local, stays 64 + worst + 4·at_end + 16·present. */
export function keyWords(key: number): Words {
  if (key >= 64) {
    const [worst, end] = [GRADES[key & 3]!, GRADES[(key >> 2) & 3]!];
    const present = ((key >> 4) & 1) === 1;
    return present
      ? w(`在曾为${worst.zh}、现为${end.zh}的地区`, `is in an area that was ${worst.en} and is ${end.en}`)
      : w(`离开曾为${worst.zh}、离开时为${end.zh}的地区`, `left an area that was ${worst.en}, and ${end.en} at the end`);
  }
  const fact = factWords(key & 15);
  const ended = ((key >> 4) & 1) === 1;
  const local = ((key >> 5) & 1) === 1;
  return w(
    `${fact.zh}(${local ? "本省" : "外省"}${ended ? "，已结束" : ""})`,
    `${fact.en} (${local ? "this province" : "another province"}${ended ? ", ended" : ""})`,
  );
}

/** A distance in time. */
export function offsetText(language: Language, { hours, days }: Offset): string {
  if (days > 0) return language === "zh" ? `第${days}天零时` : `from the midnight of day ${days}`;
  return language === "zh" ? `满${hours}小时` : `after ${hours} hours`;
}

/** The conditions of a way out. */
export function clearingText(language: Language, clearing: Clearing): string {
  const zh = language === "zh";
  const parts: string[] = [];
  const after = clearing.after;
  if (after && after.hours + after.days > 0) parts.push(offsetText(language, after));
  if (clearing.negatives > 0) {
    const from = clearing.negativesFromHours;
    const since = zh ? `(起始${from >= 0 ? "后" : "前"}${Math.abs(from)}小时起采样)` : ` (sampled from ${Math.abs(from)} h ${from >= 0 ? "after" : "before"} the beginning)`;
    const many = zh ? `，${clearing.spanHours}小时内，间隔至少${clearing.gapHours}小时` : ` within ${clearing.spanHours} h, at least ${clearing.gapHours} h apart`;
    parts.push(
      (zh ? `${clearing.negatives}次核酸阴性` : `${clearing.negatives} negative test(s)`) + (clearing.negatives > 1 ? many : "") + since,
    );
  }
  if (clearing.checkInDays > 0) parts.push(zh ? `连续${clearing.checkInDays}天正常打卡` : `${clearing.checkInDays} days of normal check-in`);
  if (parts.length === 0) return zh ? "无其他条件" : "nothing further";
  return parts.join(zh ? "，且" : ", and ");
}
