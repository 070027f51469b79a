// Words for what a federation publishes of its rule sets and counts, wherever a page shows it.

import { w, type Words } from "./words.ts";

export const PUBLISHED = {
  version: w("版本", "version"),
  nation: w("全国", "the nation"),
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
  firstAnnounced: w("最早公告", "Announced first"),
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

/** Rule sets and what is known of each. */
export const RULE_SET_WORDS = {
  listNone: w("没有经过核验的信任列表。没有它，什么都不能核验。", "There is no verified trust list. Without one nothing can be verified."),
  rules: w("规则", "Rules"),
  rulesText: w(
    "这些规则集由根文件列出。摘要是各行规则的摘要;文字来自提供本页者手中与摘要相符的文本。",
    "The root document names these rule sets. The digest is that of the rows; the words are those of a text at hand whose rows have the digest.",
  ),
  inForce: w("现行", "In force"),
  notYet: w("尚未生效", "Not yet in force"),
  over: w("已失效", "No longer in force"),
  version: w("版本", "Version"),
  scope: w("适用", "Of"),
  from: w("自", "From"),
  until: w("至", "Until"),
  bindsIn: w("距生效还有", "In force in"),
  noEnd: w("未定", "not set"),
  emergency: w("紧急(公告期缩短)", "An emergency (shorter notice)"),
  digest: w("摘要", "Digest"),
  shortId: w("凭证中的短名", "Short name in passes"),
  readText: w("阅读全文", "Read it in full"),
  noText: w("手中没有文本，只有摘要。", "The text is not at hand; its digest is."),
  authority: w("发布者", "Published by"),
  source: w("出处", "Source"),
  textDigest: w("文本摘要", "Digest of the text"),
  lookback: w("风险地区回溯小时数(低/中/高)", "Hours that a listing reaches back (low / medium / high)"),
  otherwise: w("其他情形", "Anything else"),
} satisfies Record<string, Words>;

/** Days and who was counted on them. */
export const COUNT_WORDS = {
  counts: w("统计", "Counts"),
  countsText: w(
    "各省日志中公布的人数，四舍五入到十;少于10人不公布。来自已核验的日志，不来自节点的网页。",
    "People as each province's log publishes them, to the nearest ten; fewer than 10 are not published. From verified logs, not from a node's pages.",
  ),
  chooseSlot: w("省份", "Province"),
  countsNone: w("该日志中没有读到统计。", "No counts were read in this log."),
  chart: w("各日黄码与红码人数", "People yellow and red, by day"),
  day: w("日期", "Day"),
  residents: w("居民", "Residents"),
  byRule: w("按规则", "By rule"),
  under: w("依据", "Under"),
  lastRound: w("上次查看未能核验", "Not verified in the last round"),
  stillShown: w("以下是此前核验过的。", "What stands here was verified before."),
} satisfies Record<string, Words>;

/** Why something was not verified, by the number of `Fault`. */
export const FAULTS: Record<number, Words> = {
  1: w("没有配置它的地址。", "Nobody said where it is to be asked."),
  2: w("没有应答。", "It does not answer."),
  3: w("它说没有。", "It says that there is none."),
  4: w("应答过长，未读。", "The answer is too long, and was not read."),
  5: w("应答不合格式。", "The answer is not of its form."),
  6: w("没有应有的签名。", "It is not signed by those who have to sign it."),
  7: w("与此前核验过的矛盾。", "It contradicts what was verified before."),
  8: w("比此前核验过的旧，或已过期。", "It is older than what was verified before, or past its end."),
  9: w("没有信任列表，无法核验。", "Without a trust list it cannot be verified."),
};
export const FAULT_OTHER = w("未能核验。", "It was not verified.");
