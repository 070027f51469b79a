// The sources that the node takes events from, and what has come of theirs since it began. Nothing here is of any resident.

import { useState } from "preact/hooks";
import type { SourceIntake } from "@viridian/wire/operator";

import type { Fault } from "../../../../pages/web/fault.ts";
import { momentText } from "../../../../pages/web/dates.ts";
import { language, t } from "../../../../pages/web/looks.tsx";
import { Faulty, Head, Line, officeName, useAsked } from "../parts.tsx";
import { faultOf } from "../service.ts";
import { call, nowMinute } from "../session.ts";
import { WORDS } from "../words.ts";

/** Sources in a full answer: after one there may be more. */
const PART = 256;

const ask = async (after: string, isByItself: boolean) => {
  const { sources } = await call((to) => to.listIntake({ after, isByItself }), isByItself);
  return sources;
};

export function Intake() {
  const { found, fault, isAsking, isStale, look } = useAsked((isByItself) => ask("", isByItself));
  const [more, setMore] = useState<SourceIntake[]>([]);
  const [isAll, setAll] = useState(false);
  const [moreFault, setMoreFault] = useState<Fault | null>(null);
  const all = found ? [...found, ...more] : [];
  const isCut = found !== null && !isAll && found.length === PART;
  const next = () =>
    void ask(all.at(-1)?.source ?? "", false).then(
      (part) => {
        setMore([...more, ...part]);
        setAll(part.length < PART);
        setMoreFault(null);
      },
      (error: unknown) => setMoreFault(faultOf(error)),
    );
  return (
    <section aria-labelledby="intake">
      <Head words={WORDS.intake} id="intake" isAsking={isAsking} isStale={isStale} look={() => void look()} />
      <p>{t(WORDS.intakeText)}</p>
      <Faulty fault={fault ?? moreFault} />
      {found?.length === 0 && <p>{t(WORDS.intakeNone)}</p>}
      {all.map((source) => (
        <One key={source.source} source={source} />
      ))}
      {isCut && <button onClick={next}>{t(WORDS.intakeMore)}</button>}
    </section>
  );
}

function One({ source }: { source: SourceIntake }) {
  const now = nowMinute();
  const isOver = source.untilMinute !== 0 && now >= source.untilMinute;
  const state = now < source.sinceMinute ? WORDS.notYet : isOver ? WORDS.past : null;
  const when = (minute: number) => momentText(language.value, minute * 60);
  return (
    <article class="card" data-testid="source">
      <h3>
        {source.name} {state && <strong class="yellow">· {t(state)}</strong>}
      </h3>
      <p class="detail">{officeName(source.source)}</p>
      <dl class="terms">
        <Line name={WORDS.intakeAccepted}>{String(source.accepted)}</Line>
        <Line name={WORDS.intakeDuplicates}>{String(source.duplicates)}</Line>
        <Line name={WORDS.intakeForwarded}>{String(source.forwarded)}</Line>
        <Line name={WORDS.intakeRefused}>{String(source.refused)}</Line>
        <Line name={WORDS.intakeLast}>{source.lastAtMinute === 0 ? t(WORDS.intakeNever) : when(source.lastAtMinute)}</Line>
        {source.sinceMinute > 0 && <Line name={WORDS.from}>{when(source.sinceMinute)}</Line>}
        {source.untilMinute > 0 && <Line name={WORDS.until}>{when(source.untilMinute)}</Line>}
      </dl>
    </article>
  );
}
