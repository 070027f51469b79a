// What this gate asks for, in words: always on the page, for staff and visitors alike.

import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import type { AskedByProfile } from "./desk.ts";
import { asked, profile } from "./rule.ts";
import { list } from "./state.ts";
import type { Asked } from "./weaker.ts";
import { ASKS, WORDS } from "./words.ts";

/** A time in minutes, in the largest unit that it is a whole number of. */
function span(minutes: number): string {
  const units: [number, Words][] = [
    [1440, ASKS.days],
    [60, ASKS.hours],
    [1, ASKS.minutes],
  ];
  const [size, unit] = units.find(([size]) => minutes % size === 0) ?? units[2]!;
  return `${minutes / size} ${t(unit)}`;
}

/** Tenths of a degree Celsius, as people read them. */
export const degrees = (tenths: number): string => `${(tenths / 10).toFixed(1)} °C`;

/** One phrase for each thing that is asked. */
export function phrases(rule: AskedByProfile, also: Asked): string[] {
  const zh = language.value === "zh";
  const all = [t(rule.worst === "green" ? ASKS.green : ASKS.notRed)];
  const hours = rule.test_age_hours;
  if (hours > 0) all.push(zh ? `${hours}小时内核酸阴性` : `negative test within ${hours} h`);
  const binders = rule.binders.filter(({ binder }) => !also.asksForCard || binder !== "device");
  for (const { binder, age_max_min } of binders) all.push(`${t(ASKS[binder])}${t(ASKS.atMost)}${span(age_max_min)}`);
  if (binders.length === 0) all.push(t(ASKS.nobody));
  if (also.temperatureLimit > 0) all.push(`${t(ASKS.temperature)}${t(ASKS.atMost)}${degrees(also.temperatureLimit)}`);
  if (also.asksForCard) all.push(t(ASKS.cardShown));
  if (also.showsChallenge) all.push(t(ASKS.challenge));
  return all;
}

export function Asks() {
  const rule = profile.value === null ? undefined : list.value?.rules[profile.value];
  if (!rule || !asked.value) return null;
  return (
    <p class="asks" data-testid="asks">
      <strong>{t(WORDS.asks)}</strong> {phrases(rule, asked.value).join(language.value === "zh" ? ";" : "; ")}
    </p>
  );
}
