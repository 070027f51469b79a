// The own colour, with everything that it rests on.

import { signal as state } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { ReasonState, type QueryResponse, type Reason, type WayOut } from "@viridian/wire/resident";

import { ColourMark } from "../../../../pages/web/colour.tsx";
import { language, t } from "../../../../pages/web/looks.tsx";
import { Appeals, ContestOf } from "../appeals.tsx";
import { dayText, minuteText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { Faulty } from "../parts.tsx";
import { about, attempt, home, status } from "../state.ts";
import { Timeline } from "../timeline.tsx";
import { missingOf } from "../ways.ts";
import { who } from "../who.ts";
import { WORDS } from "../words.ts";

const fault = state<Fault | null>(null);
const asking = state(false);
/** Another rule set than the home's, and what it makes of the record. */
const ruleSet = state("");
const other = state<QueryResponse | null>(null);

let turn = 0;

/** The newest question counts. */
async function ask(): Promise<void> {
  const mine = ++turn;
  asking.value = true;
  const set = ruleSet.value;
  const failed = await attempt(async (open) => {
    const answer = await open.query(set);
    if (set !== "" && mine === turn) other.value = answer;
  });
  if (mine !== turn) return;
  fault.value = failed;
  asking.value = false;
}

export function Status() {
  const sets = home.value?.passTerms?.ruleSetIds ?? [];
  // Who was refused a pass comes to see it under the rules that refused it; those of the home are named otherwise, or not at all.
  useLayoutEffect(() => {
    ruleSet.value = sets.includes(about.value) ? about.value : "";
  }, [about.value]);
  useEffect(() => {
    other.value = null;
    void ask();
  }, [ruleSet.value]);
  const shown = ruleSet.value === "" ? status.value : other.value;
  return (
    <section class="status">
      <h2>{t(WORDS.status)}</h2>
      <Faulty fault={fault.value} />
      {asking.value && <p role="status">{t(WORDS.asking)}</p>}
      {shown ? <Known status={shown} /> : !asking.value && <p>{t(WORDS.notAsked)}</p>}
      {sets.length > 0 && (
        <label>
          {t(WORDS.under)}
          <select name="rules" value={ruleSet.value} onChange={(event) => (ruleSet.value = event.currentTarget.value)}>
            <option value="">{t(WORDS.home)}</option>
            {sets.map((id) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        </label>
      )}
    </section>
  );
}

function Known({ status }: { status: QueryResponse }) {
  const open = status.reasons.filter((reason) => reason.state === ReasonState.OPEN);
  const closed = status.reasons.filter((reason) => reason.state !== ReasonState.OPEN);
  return (
    <>
      <ColourMark colour={status.colour} big />
      <dl>
        <dt>{t(WORDS.statusAsOf)}</dt>
        <dd>{minuteText(language.value, status.atMinute)}</dd>
        <dt>{t(WORDS.under)}</dt>
        <dd>
          {status.ruleSetId} · {status.ruleSetVersion}
        </dd>
        {open.length > 0 && (
          <>
            <dt>{t(WORDS.earliestGreen)}</dt>
            <dd>
              {status.earliestGreenDay === undefined ? t(WORDS.onlyEvent) : dayText(language.value, status.earliestGreenDay)}
            </dd>
          </>
        )}
        {status.newestNegativeMinute !== undefined && (
          <>
            <dt>{t(WORDS.newestNegative)}</dt>
            <dd>{minuteText(language.value, status.newestNegativeMinute)}</dd>
          </>
        )}
      </dl>
      <h3>{t(WORDS.openReasons)}</h3>
      {open.length === 0 && <p>{t(WORDS.noReasons)}</p>}
      {open.map((reason, i) => (
        <OpenReason key={i} reason={reason} at={status.atMinute} />
      ))}
      <Timeline status={status} open={open} />
      <Appeals appeals={status.appeals} now={status.atMinute} />
      {closed.length > 0 && (
        <details>
          <summary>
            {t(WORDS.closedReasons)} ({closed.length})
          </summary>
          {closed.map((reason, i) => (
            <p key={i} class="closed">
              {reason.ruleId && `${reason.ruleId} · `}
              {textOf(reason)} · {minuteText(language.value, reason.anchorMinute)}
            </p>
          ))}
        </details>
      )}
    </>
  );
}

/** A text of the home in the language that was chosen; the other where there is none. */
function textOf(of: { textZh: string; textEn: string }): string {
  return language.value === "zh" ? of.textZh || of.textEn : of.textEn || of.textZh;
}

function OpenReason({ reason, at }: { reason: Reason; at: number }) {
  return (
    <article class="reason" data-testid="reason">
      <h4>
        <ColourMark colour={reason.colour} /> {reason.ruleId}
      </h4>
      <p>{textOf(reason)}</p>
      <dl>
        <dt>{t(WORDS.source)}</dt>
        <dd>{t(who(reason.source))}</dd>
        <dt>{t(WORDS.anchor)}</dt>
        <dd>
          {minuteText(language.value, reason.anchorMinute)}
          {reason.anchorMoves && <> ({t(WORDS.anchorMoves)})</>}
        </dd>
        {reason.waysOut.length > 0 && (
          <>
            <dt>{t(WORDS.waysOut)}</dt>
            <dd>
              <ul>
                {reason.waysOut.map((way, i) => (
                  <Way key={i} way={way} at={at} />
                ))}
              </ul>
            </dd>
          </>
        )}
        <dt>{t(WORDS.earliestEnd)}</dt>
        <dd>{reason.earliestEndDay === undefined ? t(WORDS.onlyEvent) : dayText(language.value, reason.earliestEndDay)}</dd>
      </dl>
      {reason.eventIds[0] && <ContestOf event={reason.eventIds[0]} />}
    </article>
  );
}

function Way({ way, at }: { way: WayOut; at: number }) {
  return (
    <li>
      {textOf(way)}
      <br />
      <strong>
        {t(WORDS.missing)}: {missing(way, at)}
      </strong>
    </li>
  );
}

/** What of a way out was not fulfilled at the moment of the answer that is shown. */
function missing(way: WayOut, at: number): string {
  const { negatives, checkInDays, from } = missingOf(way, at);
  const parts: string[] = [];
  if (negatives > 0) parts.push(`${negatives} ${t(WORDS.missingNegatives)}`);
  if (checkInDays > 0) parts.push(`${checkInDays} ${t(WORDS.missingDays)}`);
  if (from !== null) parts.push(`${t(WORDS.missingTime)} ${minuteText(language.value, from)}`);
  return parts.join(", ") || t(WORDS.missingNothing);
}
