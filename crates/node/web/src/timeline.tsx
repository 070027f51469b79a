// A picture of the days ahead: a row for each open reason, until the earliest day on which it can end.

import { Colour } from "@viridian/wire/pass";
import type { QueryResponse, Reason } from "@viridian/wire/resident";

import { language, t } from "../../../pages/web/looks.tsx";
import { dayOf, dayShort, dayText } from "./dates.ts";
import { WORDS } from "./words.ts";

/** Most days that are drawn; what lasts longer, or has no day, ends in an arrow. */
const DAYS_MOST = 21;
const DAYS_LEAST = 5;
const WIDTH = 320;
const LEFT = 44;
const ROW = 26;
const HEAD = 20;

export function Timeline({ status, open }: { status: QueryResponse; open: Reason[] }) {
  if (open.length === 0) return null;
  const today = dayOf(status.atMinute);
  const ends = open.map((reason) => (reason.earliestEndDay ?? today + DAYS_MOST) - today);
  const days = Math.min(Math.max(DAYS_LEAST, ...ends) + 1, DAYS_MOST);
  const x = (day: number) => LEFT + ((WIDTH - LEFT - 8) * Math.min(day, days)) / days;
  const height = HEAD + ROW * open.length + 18;
  // As many days are named as have room.
  const step = Math.ceil(days / 5);
  const named = Array.from({ length: Math.ceil(days / step) }, (_, i) => i * step);
  return (
    <figure>
      <figcaption>{t(WORDS.timeline)}</figcaption>
      <svg class="timeline" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={said(open)} data-testid="timeline">
        {named.map((day) => (
          <g key={day}>
            <line x1={x(day)} x2={x(day)} y1={HEAD - 4} y2={height - 16} class="grid" />
            <text x={x(day)} y={height - 4} text-anchor="middle">
              {dayShort(language.value, today + day)}
            </text>
          </g>
        ))}
        {open.map((reason, i) => {
          const end = reason.earliestEndDay;
          const until = end === undefined ? days : Math.max(end - today, 0.2);
          const goesOn = end === undefined || end - today > days;
          const y = HEAD + ROW * i;
          return (
            <g key={i} class={reason.colour === Colour.RED ? "red" : "yellow"}>
              <text x={4} y={y + 14}>
                {reason.ruleId}
              </text>
              <rect x={x(0)} y={y} width={x(until) - x(0)} height={ROW - 8} />
              {goesOn && <path d={`M${x(days) - 8} ${y}l8 ${(ROW - 8) / 2}l-8 ${(ROW - 8) / 2}z`} class="on" />}
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

/** The picture in words. */
function said(open: Reason[]): string {
  const rows = open.map((reason) => {
    const end = reason.earliestEndDay;
    const when = end === undefined ? t(WORDS.onlyEvent) : `${t(WORDS.earliestEnd)} ${dayText(language.value, end)}`;
    return `${reason.ruleId}: ${when}`;
  });
  return `${t(WORDS.timeline)}. ${rows.join("; ")}`;
}
