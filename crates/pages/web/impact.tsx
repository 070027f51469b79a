// Whom a rule set changes, province by province, as their logs publish it.

import { useEffect, useState } from "preact/hooks";
import { ImpactState, type Change, type CountedSet, type GetImpactsResponse, type Impact, type ImpactCount } from "@viridian/wire/public";

import { hex } from "./bytes.ts";
import { ColourMark } from "./colour.tsx";
import { countText, isFew } from "./count_text.ts";
import { minuteText } from "./dates.ts";
import { language, t } from "./looks.tsx";
import { IMPACT_STATES, PUBLISHED } from "./published_words.ts";

/** Asks for what logs say of a rule set, from a slot on. */
export type AskImpacts = (shortId: Uint8Array, fromSlot: number) => Promise<GetImpactsResponse>;

/** There are no more slots, and each answer has at least one. */
const MOST_ANSWERS = 64;

async function all(shortId: Uint8Array, ask: AskImpacts): Promise<Impact[]> {
  const found: Impact[] = [];
  let from = 0;
  for (let answers = 0; answers < MOST_ANSWERS; answers++) {
    const { impacts, nextSlot } = await ask(shortId, from);
    found.push(...impacts);
    if (nextSlot <= from) return found;
    from = nextSlot;
  }
  return found;
}

interface Asked {
  shortId: Uint8Array;
  ask: AskImpacts;
  /** What a province is called, by its slot. */
  nameOf: (slot: number) => string;
  /** Asked again when this changes. */
  asOf: unknown;
}

/** All provinces. Nothing is shown under a rule set that is not its own. */
export function Impacts({ shortId, ask, nameOf, asOf }: Asked) {
  const [told, tell] = useState<{ of: string; impacts: Impact[] } | null>(null);
  const [failed, setFailed] = useState(false);
  const of = hex(shortId);
  useEffect(() => {
    let isWanted = true;
    all(shortId, ask).then(
      (impacts) => {
        if (!isWanted) return;
        tell({ of, impacts });
        setFailed(false);
      },
      () => isWanted && setFailed(true),
    );
    return () => {
      isWanted = false;
    };
  }, [of, asOf]);
  const impacts = told?.of === of ? told.impacts : null;
  return (
    <div data-testid="impacts">
      <p>{t(PUBLISHED.impactText)}</p>
      {failed && (
        <p class="warn" role="alert">
          {t(PUBLISHED.failed)}
        </p>
      )}
      {impacts === null && !failed && <p role="status">{t(PUBLISHED.loading)}</p>}
      {impacts && <Announced impacts={impacts} />}
      {impacts?.length === 0 && <p class="warn">{t(PUBLISHED.impactNobody)}</p>}
      {impacts?.map((impact) => (
        <One key={impact.slot} impact={impact} name={nameOf(impact.slot)} />
      ))}
    </div>
  );
}

/** When a log told of it first. */
function Announced({ impacts }: { impacts: Impact[] }) {
  const minutes = impacts.map((impact) => impact.announcedMinute).filter((minute) => minute > 0);
  if (minutes.length === 0) return null;
  return (
    <p data-testid="announced">
      {t(PUBLISHED.firstAnnounced)}: {minuteText(language.value, Math.min(...minutes))}
    </p>
  );
}

const isBad = (state: ImpactState) => state === ImpactState.LATE || state === ImpactState.MISSING;

function One({ impact: { state, count, announcedMinute }, name }: { impact: Impact; name: string }) {
  return (
    <div data-testid="impact">
      <h4>{name}</h4>
      <p class={isBad(state) ? "warn" : undefined}>{t(IMPACT_STATES[state] ?? PUBLISHED.notCounted)}</p>
      {announcedMinute > 0 && (
        <p class="detail">
          {t(PUBLISHED.announced)}: {minuteText(language.value, announcedMinute)}
        </p>
      )}
      {count && <Counted count={count} />}
    </div>
  );
}

function Counted({ count }: { count: ImpactCount }) {
  const told = count.changes.filter((change) => !isFew(change.people));
  const few = count.changes.filter((change) => isFew(change.people));
  return (
    <>
      <p class="detail">
        {t(PUBLISHED.countedAt)}: {minuteText(language.value, count.atMinute)} · {t(PUBLISHED.residents)}: {countText(count.residents)}
      </p>
      <p class="detail">
        {t(PUBLISHED.compared)}: {count.before ? nameOfSet(count.before) : t(PUBLISHED.comparedNone)}
      </p>
      {count.set && (
        <p class="detail">
          {t(PUBLISHED.ofText)}: <code>{hex(count.set.textSha256)}</code>
        </p>
      )}
      {told.length > 0 ? <Changes changes={told} /> : <p>{t(PUBLISHED.fewOnly)}</p>}
      {few.length > 0 && (
        <details>
          <summary>{t(PUBLISHED.few)}</summary>
          <Changes changes={few} />
        </details>
      )}
    </>
  );
}

function nameOfSet(set: CountedSet): string {
  return `${set.ruleSetId} ${t(PUBLISHED.version)} ${set.version}`;
}

function Changes({ changes }: { changes: Change[] }) {
  return (
    <ul>
      {changes.map((change) => (
        <li key={`${change.from} ${change.to} ${change.ruleId}`}>
          <ColourMark colour={change.from} /> → <ColourMark colour={change.to} /> {t(PUBLISHED.by)} {change.ruleId}: {countText(change.people)}
        </li>
      ))}
    </ul>
  );
}
