// Each slot: its keys, its newest head and registry, and its log.

import { InList, type Log, type Slot } from "@viridian/wire/public";

import { momentText } from "../../../pages/web/dates.ts";
import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { Digest, Line, NotVerified, When, province, slotName } from "./parts.tsx";
import { overview } from "./state.ts";
import { WORDS } from "./words.ts";

export function Provinces() {
  const slots = overview.value?.slots ?? [];
  return (
    <section aria-labelledby="provinces">
      <h2 id="provinces">{t(WORDS.provinces)}</h2>
      <p>{t(WORDS.provincesText)}</p>
      {slots.length === 0 && <p class="warn">{t(WORDS.listNone)}</p>}
      {slots.map((slot) => (
        <One key={slot.slot} slot={slot} />
      ))}
    </section>
  );
}

const names = (slots: number[]): string => (slots.length === 0 ? t(WORDS.nobody) : slots.map(slotName).join(", "));

const IN_LIST: Record<number, Words> = {
  [InList.SAME]: WORDS.inListSame,
  [InList.OTHER]: WORDS.inListOther,
  [InList.NONE]: WORDS.inListNone,
};

function One({ slot }: { slot: Slot }) {
  return (
    <article class="card" data-testid="slot">
      <h3>
        {slot.provinceCode === 0 ? t(WORDS.unknownSlot) : province(slot.provinceCode)}{" "}
        <span class="tag">
          {t(WORDS.slot)} {slot.slot}
        </span>
      </h3>
      <NotVerified problem={slot.listProblem} what={WORDS.listOfNode} />
      <NotVerified problem={slot.logProblem} what={WORDS.lastRound} />
      {slot.log && slot.logProblem && <p>{t(WORDS.stillShown)}</p>}
      <dl>
        {slot.headKeys.length > 0 && (
          <Line name={WORDS.headKeys}>
            {slot.headKeys.map((key) => (
              <div key={key.fromMinute}>
                {key.fromMinute === 0 ? t(WORDS.fromStart) : `${t(WORDS.from)} ${momentText(language.value, key.fromMinute * 60)}`}:{" "}
                <Digest bytes={key.key} />
              </div>
            ))}
          </Line>
        )}
        {slot.url && (
          <Line name={WORDS.asked}>
            <code>{slot.url}</code>
          </Line>
        )}
      </dl>
      {slot.log ? <OfLog log={slot.log} /> : <p>{t(WORDS.logNone)}</p>}
    </article>
  );
}

function OfLog({ log }: { log: Log }) {
  const { head, registry } = log;
  return (
    <>
      {log.wrong.length > 0 && (
        <div class="warn" data-testid="wrong">
          <p>
            <strong>{t(WORDS.wrong)}</strong>
          </p>
          <ul lang="en">
            {log.wrong.map((wrong) => (
              <li key={wrong}>{wrong}</li>
            ))}
          </ul>
        </div>
      )}
      <h4>{t(WORDS.head)}</h4>
      {head ? (
        <dl>
          <Line name={WORDS.epoch}>{head.epoch}</Line>
          <Line name={WORDS.asOf}>
            <When second={head.atMinute * 60} />
          </Line>
          <Line name={WORDS.stateRoot}>
            <Digest bytes={head.stateRoot} />
          </Line>
        </dl>
      ) : (
        <p>{t(WORDS.headNone)}</p>
      )}
      <h4>{t(WORDS.registry)}</h4>
      {registry ? (
        <dl>
          <Line name={WORDS.epoch}>
            {registry.epoch}, {t(IN_LIST[registry.inList] ?? WORDS.inListNone)}
          </Line>
          <Line name={WORDS.asOf}>
            <When second={registry.asOfMinute * 60} />
          </Line>
          <Line name={WORDS.cosigners}>{names(registry.cosignerSlots)}</Line>
          <Line name={WORDS.cosignersNeeded}>{registry.provincesNeeded}</Line>
          <Line name={WORDS.holds}>{names(registry.headSlots)}</Line>
          <Line name={WORDS.logRoot}>
            <Digest bytes={registry.root} />
          </Line>
        </dl>
      ) : (
        <p>{t(WORDS.registryNone)}</p>
      )}
      <h4>{t(WORDS.log)}</h4>
      <dl>
        <Line name={WORDS.verifiedAt}>
          <When second={Number(log.verifiedAtS)} />
        </Line>
        <Line name={WORDS.entries}>{String(log.size)}</Line>
        <Line name={WORDS.entriesRead}>{String(log.entriesRead)}</Line>
        <Line name={WORDS.witnesses}>{names(log.witnessSlots)}</Line>
        <Line name={WORDS.logRoot}>
          <Digest bytes={log.root} />
        </Line>
      </dl>
    </>
  );
}
