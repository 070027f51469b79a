// Words for what a federation publishes of its rule sets and counts, wherever a page shows it.

import { w, type Words } from "./words.ts";

export const PUBLISHED = {
  version: w("版本", "version"),
  impact: w("影响谁", "Whom it changes"),
  impactText: w(
    "各省日志公布的:改用这套规则时，多少人的颜色会变。每人只计一次;人数取到十，少于10人不公布。",
    "As each province's log publishes it: how many people would have another colour under these rules. Each person stands in one line; to the nearest ten, and fewer than 10 are not published.",
  ),
  impactNobody: w("没有经过核验的日志。", "No log was verified."),
  failed: w("没有得到应答。", "There was no answer."),
  loading: w("正在读取…", "Reading …"),
  countedAt: w("统计时间(节点的钟)", "Counted at (by the node's clock)"),
  announced: w("公告时间", "Announced"),
  residents: w("居民", "Residents"),
  compared: w("对照", "Compared with"),
  comparedNone: w("当时没有现行规则，统计前人人视为绿码。", "none in force then: everybody counts as green before"),
  ofText: w("所统计文本的摘要", "Digest of the text that was counted"),
  by: w("依", "by"),
  few: w("各不足10人的变化", "Changes of fewer than 10 people each"),
  fewOnly: w("每一种变化都不足10人。", "Of each change there are fewer than 10 people."),

  sources: w("按来源(酌情类事件)", "By source (kinds at discretion)"),
  sourcesNone: w("读到的条目中没有。", "Not among the entries read."),
  sourcesPart: w("不完整。", "Not all of it."),
  sourcesNobody: w("没有来源达到10件。", "No source stated 10 or more."),
  notCounted: w("未统计", "not counted"),
} satisfies Record<string, Words>;

/** Whether it was published whom a rule set changes, by the number of `ImpactState`. */
export const IMPACT_STATES: Record<number, Words> = {
  1: w("生效前已公布。", "Published before it was in force."),
  2: w("迟了:生效之后才公布。", "LATE: published when it was in force."),
  3: w("尚未统计，规则尚未生效。", "Not counted yet; the rules are not in force yet."),
  4: w("没有统计，规则却已生效!", "NOT COUNTED, and the rules are in force!"),
  5: w("没有统计:日志开始时规则已经生效。", "Not counted: the rules were in force when the log began."),
  6: w("没有再统计:同一套规则，只改了终止日期。", "Not counted again: the same rules with another end."),
  7: w("日志说:生效之前已撤回。", "The log says that they were withdrawn before they were in force."),
  8: w("日志中没有公告这套规则。", "The log does not announce these rules."),
  9: w("读到的条目中没有;更早的条目没有读。", "Not among the entries that were read; the log has older ones."),
};
