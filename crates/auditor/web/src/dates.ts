// Times as people read them, all of UTC+8.

import type { Language } from "../../../pages/web/words.ts";

const EAST_MIN = 8 * 60;

function format(language: Language, ms: number, parts: Intl.DateTimeFormatOptions): string {
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  return new Intl.DateTimeFormat(locale, { timeZone: "Asia/Shanghai", ...parts }).format(ms);
}

export function secondText(language: Language, second: number): string {
  const parts = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false } as const;
  return format(language, second * 1000, parts);
}

export function minuteText(language: Language, minute: number): string {
  return secondText(language, minute * 60);
}

/** A day (UTC+8) since the Unix epoch. */
export function dayText(language: Language, day: number): string {
  return format(language, (day * 1440 - EAST_MIN) * 60_000, { month: "numeric", day: "numeric" });
}

/** How long ago, in the largest unit that leaves a whole number above 1. */
export function ageText(language: Language, seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const [count, zh, en] =
    s < 120 ? [s, "秒", "s"] : s < 7200 ? [Math.floor(s / 60), "分钟", "min"] : s < 172_800 ? [Math.floor(s / 3600), "小时", "h"] : [Math.floor(s / 86_400), "天", "d"];
  return language === "zh" ? `${count}${zh}` : `${count} ${en}`;
}
