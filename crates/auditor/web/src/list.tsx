// The trust list: which one, how old, and until when it can be judged by.

import { momentText } from "../../../pages/web/dates.ts";
import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { Digest, Line, NotVerified, When, slotWords } from "./parts.tsx";
import { nowS, overview } from "./state.ts";
import { WORDS } from "./words.ts";

/** How fresh the list is. */
export function listState(): { words: Words; bad: boolean } {
  const list = overview.value?.list;
  if (!list) return { words: WORDS.listNone, bad: true };
  const age = nowS() - Number(list.issuedAtS);
  if (age >= list.hardStaleS || nowS() >= Number(list.rootExpiresAtS)) return { words: WORDS.listEnded, bad: true };
  return age >= list.softStaleS ? { words: WORDS.listOld, bad: true } : { words: WORDS.listFresh, bad: false };
}

export function List() {
  const known = overview.value;
  if (!known) return null;
  const list = known.list;
  return (
    <section aria-labelledby="list">
      <h2 id="list">{t(WORDS.list)}</h2>
      <p>{t(WORDS.readOnly)}</p>
      {!list && <p class="warn">{t(WORDS.listNone)}</p>}
      <dl>
        {list && (
          <>
            <Line name={WORDS.issued}>
              <When second={Number(list.issuedAtS)} />
            </Line>
            <Line name={WORDS.verifiedAt}>
              <When second={Number(list.verifiedAtS)} />
            </Line>
          </>
        )}
        <Line name={WORDS.lookedAt}>
          {known.lookedAtS === 0n ? t(WORDS.notLooked) : <When second={Number(known.lookedAtS)} />}
        </Line>
        {list && (
          <>
            <Line name={WORDS.newestEpoch}>
              {list.epoch}, {t(WORDS.asOf)} {momentText(language.value, list.asOfMinute * 60)}
            </Line>
            <Line name={WORDS.rootSequence}>{String(list.rootSequence)}</Line>
            <Line name={WORDS.onlineSequence}>{String(list.onlineSequence)}</Line>
            <Line name={WORDS.rootEnds}>{momentText(language.value, Number(list.rootExpiresAtS))}</Line>
            <Line name={WORDS.revocations}>{list.revocations}</Line>
          </>
        )}
        <Line name={WORDS.rootThreshold}>{known.rootThreshold}</Line>
        <Line name={WORDS.rootKeys}>
          {known.rootKeys.map((key) => (
            <div key={String(key)}>
              <Digest bytes={key} />
            </div>
          ))}
        </Line>
      </dl>
      {known.slots.map((slot) => (
        <NotVerified key={slot.slot} problem={slot.listProblem} what={slotWords(slot.slot)} />
      ))}
    </section>
  );
}
