// Published counts of a province, day by day: a chart for the eye, and the same as a table.

import { useEffect, useState } from "preact/hooks";
import { Colour } from "@viridian/wire/pass";
import type { Count, Day } from "@viridian/wire/public";

import { COLOUR_WORDS, ColourMark } from "./colour.tsx";
import { countText } from "./count_text.ts";
import { Daily } from "./daily.tsx";
import { dayShort } from "./dates.ts";
import { language, t } from "./looks.tsx";
import { NotVerified, slotName, slotWords, type Published } from "./published.tsx";
import { COUNT_WORDS as WORDS, PUBLISHED } from "./published_words.ts";
import { Sources } from "./sources.tsx";

/** Of several cells together: no more than what they say. */
function sum(day: Day, colour: Colour): { least: number; most: number } {
  const cells = day.cells.filter((cell) => cell.colour === colour);
  const add = (of: (count: Count) => number) => cells.reduce((all, cell) => all + (cell.people ? of(cell.people) : 0), 0);
  return { least: add((c) => c.least), most: add((c) => c.most) };
}

const sumText = ({ least, most }: { least: number; most: number }) => (least === 0 ? `< ${most + 1}` : `${least}–${most}`);

/** The counts of one province at a time, the first one until another is chosen. */
export function DayCounts({ of: { known, ask } }: { of: Published }) {
  const all = known.slots;
  const slots = all.filter((slot) => (slot.log?.days ?? 0) > 0);
  const uncounted = all.filter((slot) => slot.logProblem && !slots.includes(slot));
  const [chosen, choose] = useState<number | null>(null);
  // With the slot that they are of: nobody's counts stand under another's name while theirs are on their way.
  const [told, tell] = useState<{ slot: number; days: Day[] } | null>(null);
  const [failed, setFailed] = useState(false);
  const shown = slots.find((one) => one.slot === chosen) ?? slots[0];
  const slot = shown?.slot;
  const size = shown?.log?.size;
  const days = told !== null && told.slot === slot ? told.days : [];
  useEffect(() => {
    if (slot === undefined) return;
    let isWanted = true;
    setFailed(false);
    ask.counts(slot).then(
      (answer) => {
        if (!isWanted) return;
        tell({ slot, days: answer.days });
      },
      () => isWanted && setFailed(true),
    );
    return () => {
      isWanted = false;
    };
  }, [slot, size]);
  return (
    <>
      <p>{t(WORDS.countsText)}</p>
      {slots.length === 0 ? (
        <p class="warn">{t(WORDS.countsNone)}</p>
      ) : (
        <label>
          {t(WORDS.chooseSlot)}
          <select value={slot} onChange={(event) => choose(Number(event.currentTarget.value))}>
            {slots.map((one) => (
              <option key={one.slot} value={one.slot}>
                {slotName(known, one.slot)}
              </option>
            ))}
          </select>
        </label>
      )}
      {failed && (
        <p class="warn" role="alert">
          {t(PUBLISHED.failed)}
        </p>
      )}
      <NotVerified problem={shown?.logProblem} what={WORDS.lastRound} />
      {shown?.logProblem && <p>{t(WORDS.stillShown)}</p>}
      {days.length > 0 && (
        <>
          {days.some((day) => day.residents) && <Chart days={days} />}
          <Table days={days} />
        </>
      )}
      {uncounted.map((one) => (
        <NotVerified key={one.slot} problem={one.logProblem} what={slotWords(known, one.slot)} />
      ))}
    </>
  );
}

const [WIDTH, HEIGHT, FOOT] = [340, 160, 20];

/** Bars of what is certain; above them, lighter, what the rounding leaves open. */
function Chart({ days }: { days: Day[] }) {
  const shown = days.filter((day) => day.residents).slice(-14);
  const sums = shown.map((day) => ({ day, yellow: sum(day, Colour.YELLOW), red: sum(day, Colour.RED) }));
  const top = Math.max(10, ...sums.flatMap(({ yellow, red }) => [yellow.most, red.most]));
  const step = WIDTH / shown.length;
  const bar = Math.min(24, step / 3);
  const y = (people: number) => (people / top) * (HEIGHT - FOOT - 12);
  const told = sums.map(
    ({ day, yellow, red }) => `${dayShort(language.value, day.day)}: ${t(COLOUR_WORDS.yellow)} ${sumText(yellow)}, ${t(COLOUR_WORDS.red)} ${sumText(red)}`,
  );
  return (
    <figure>
      <figcaption>
        {t(WORDS.chart)} <ColourMark colour={Colour.YELLOW} /> <ColourMark colour={Colour.RED} />
      </figcaption>
      <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={told.join("; ")} data-testid="chart">
        <line class="grid" x1="0" x2={WIDTH} y1={HEIGHT - FOOT} y2={HEIGHT - FOOT} />
        <text x="0" y="10">
          {top}
        </text>
        {sums.map(({ day, yellow, red }, i) => {
          const middle = step * (i + 0.5);
          return (
            <g key={day.day}>
              <Bar name="yellow" x={middle - bar - 1} width={bar} of={yellow} y={y} />
              <Bar name="red" x={middle + 1} width={bar} of={red} y={y} />
              <text x={middle} y={HEIGHT - 5} text-anchor="middle">
                {dayShort(language.value, day.day)}
              </text>
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

function Bar(props: { name: string; x: number; width: number; of: { least: number; most: number }; y: (people: number) => number }) {
  const [least, most] = [props.y(props.of.least), props.y(props.of.most)];
  const ground = HEIGHT - FOOT;
  return (
    <g class={props.name}>
      <rect x={props.x} width={props.width} y={ground - least} height={least} />
      <rect class="open" x={props.x} width={props.width} y={ground - most} height={most - least} />
    </g>
  );
}

function Table({ days }: { days: Day[] }) {
  return (
    <table class="days">
      <thead>
        <tr>
          <th scope="col">{t(WORDS.day)}</th>
          <th scope="col">{t(WORDS.residents)}</th>
          <th scope="col">{t(WORDS.byRule)}</th>
        </tr>
      </thead>
      <tbody>
        {[...days].reverse().map((day) => (
          <tr key={day.day} data-testid="day">
            <th scope="row">{dayShort(language.value, day.day)}</th>
            <td>{day.residents ? countText(day.residents) : t(PUBLISHED.notCounted)}</td>
            <td>
              {day.residents && (
                <span class="detail">
                  {t(WORDS.under)} {day.ruleSetId} {t(PUBLISHED.version)} {day.version}
                </span>
              )}
              <ul>
                {day.cells.map((cell) => (
                  <li key={`${cell.colour} ${cell.ruleId}`}>
                    <ColourMark colour={cell.colour} /> {cell.ruleId}: {countText(cell.people)}
                  </li>
                ))}
              </ul>
              <Sources day={day} />
              <Daily day={day} text={countText} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
