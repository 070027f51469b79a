// Spans of time as people read them.

import type { Language } from "../../../pages/web/words.ts";

/** Minutes, in the two largest units that they fill. */
export function spanText(language: Language, minutes: number): string {
  const all = Math.max(0, Math.floor(minutes));
  const [days, hours, rest] = [Math.floor(all / 1440), Math.floor((all % 1440) / 60), all % 60];
  const units: [number, string, string][] = [
    [days, "天", "d"],
    [hours, "小时", "h"],
    [rest, "分钟", "min"],
  ];
  const first = units.findIndex(([count]) => count > 0);
  const told = first < 0 ? [units[2]!] : units.slice(first, first + 2).filter(([count]) => count > 0);
  return told.map(([count, zh, en]) => (language === "zh" ? `${count}${zh}` : `${count} ${en}`)).join(language === "zh" ? "" : " ");
}

/** A moment that may lie years ahead, seconds since the Unix epoch. */
export function momentText(language: Language, second: number): string {
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  const parts = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false } as const;
  return new Intl.DateTimeFormat(locale, { timeZone: "Asia/Shanghai", ...parts }).format(second * 1000);
}
