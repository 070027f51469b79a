// Days and minutes as people read them: all of UTC+8, wherever the reader is.

import type { Language } from "./words.ts";

const EAST_MIN = 8 * 60;
const DAY_MIN = 24 * 60;

/** The day (UTC+8) of a minute since the Unix epoch. */
export function dayOf(minute: number): number {
  return Math.floor((minute + EAST_MIN) / DAY_MIN);
}

/** The first minute of a day. */
export function beginOf(day: number): number {
  return day * DAY_MIN - EAST_MIN;
}

function format(language: Language, minute: number, parts: Intl.DateTimeFormatOptions): string {
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  return new Intl.DateTimeFormat(locale, { timeZone: "Asia/Shanghai", ...parts }).format(minute * 60_000);
}

export function minuteText(language: Language, minute: number): string {
  const time = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false } as const;
  return format(language, minute, time);
}

/** A moment that may lie years away, seconds since the Unix epoch. */
export function momentText(language: Language, second: number): string {
  const parts = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false } as const;
  return format(language, second / 60, parts);
}

/** How long it is, in the largest unit that leaves a whole number above 1. */
export function ageText(language: Language, seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const [count, zh, en] =
    s < 120 ? [s, "秒", "s"] : s < 7200 ? [Math.floor(s / 60), "分钟", "min"] : s < 172_800 ? [Math.floor(s / 3600), "小时", "h"] : [Math.floor(s / 86_400), "天", "d"];
  return language === "zh" ? `${count}${zh}` : `${count} ${en}`;
}

export function dayText(language: Language, day: number): string {
  return format(language, beginOf(day), { month: "short", day: "numeric", weekday: "short" });
}

/** An hour since the Unix epoch, with its day. */
export function hourText(language: Language, hour: number): string {
  const day = format(language, hour * 60, { month: "short", day: "numeric" });
  const at = format(language, hour * 60, { hour: "2-digit", hourCycle: "h23" }).replace(/\D/g, "");
  return language === "zh" ? `${day} ${Number(at)}时` : `${day}, ${at}:00`;
}

/** A day in a narrow place: month and day as numbers. */
export function dayShort(language: Language, day: number): string {
  return format(language, beginOf(day), { month: "numeric", day: "numeric" });
}

/** What a field for date and time holds, read as UTC+8; `null` for anything else. */
export function minuteOfField(value: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(value)) return null;
  const ms = Date.parse(`${value.slice(0, 16)}:00Z`);
  return Number.isNaN(ms) ? null : ms / 60_000 - EAST_MIN;
}

/** The other way round. */
export function fieldOfMinute(minute: number): string {
  return new Date((minute + EAST_MIN) * 60_000).toISOString().slice(0, 16);
}

/** The first minute after a day that a field holds, at most `daysMost` days ahead; `null` for a day that is not to come. */
export function endOfField(field: string, nowMinute: number, daysMost: number): number | null {
  const days = Date.parse(`${field}T00:00:00Z`) / 86_400_000;
  const today = dayOf(nowMinute);
  if (!Number.isInteger(days) || days < today || days >= today + daysMost) return null;
  return beginOf(days + 1);
}
