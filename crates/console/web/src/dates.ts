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
