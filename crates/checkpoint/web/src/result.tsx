// A verdict, over the whole screen: icon, word and colour together, never colour alone. The word and the way on always stand; what
// is said besides scrolls between them, with what to say and what to do first.

import { useLayoutEffect, useRef } from "preact/hooks";

import { language, t } from "../../../pages/web/looks.tsx";
import { Age } from "./age.tsx";
import { clockFault } from "./clock.ts";
import type { Outcome, Report } from "./desk.ts";
import { asksForList, Refresh } from "./renew.tsx";
import { profile } from "./rule.ts";
import { fault, report } from "./state.ts";
import { WORDS } from "./words.ts";

/** A verdict stands at least so long. */
const SEEN_AFTER_MS = 400;

const WORD = { accept: WORDS.pass, reject: WORDS.no, undecided: WORDS.cannot } as const;

/** A ring, a cross, a question mark: to be told apart by whoever sees no colours. No tick: that is what people forge. */
function Icon({ outcome }: { outcome: Outcome }) {
  return (
    <svg viewBox="0 0 100 100" class="icon" aria-hidden="true">
      {outcome === "accept" && <circle cx="50" cy="50" r="34" class="line" />}
      {outcome === "reject" && <path d="M22 22 78 78M78 22 22 78" class="line" />}
      {outcome === "undecided" && <path d="M30 36a20 20 0 1 1 28 18q-8 4-8 16M50 84v4" class="line" />}
    </svg>
  );
}

export function Result() {
  const next = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => next.current?.focus({ preventScroll: true }), []);
  const shown = report.value;
  const outcome: Outcome = shown?.outcome ?? "undecided";
  const word = WORD[outcome];
  const shownAt = useRef(performance.now());
  const done = () => {
    // A scanner that sends two line ends would put away what nobody has seen.
    if (performance.now() - shownAt.current < SEEN_AFTER_MS) return;
    report.value = null;
    fault.value = null;
  };
  return (
    <div class={`result ${outcome}`} role="alertdialog" aria-modal="true" aria-labelledby="word" aria-describedby="words" data-testid="result">
      <Icon outcome={outcome} />
      <h2 id="word">
        <span lang="zh-CN">{word.zh}</span> <span lang="en">{word.en}</span>
      </h2>
      <div class="told" tabIndex={0} role="group" aria-label={t(WORDS.reason)}>
        {shown?.accepted?.specimen && <p class="specimen">{t(WORDS.specimen)}</p>}
        {shown ? <Words report={shown} /> : <p id="words">{fault.value && t(fault.value)}</p>}
      </div>
      <button ref={next} class="main" onClick={done}>
        {t(WORDS.next)}
      </button>
    </div>
  );
}

function Words({ report }: { report: Report }) {
  const zh = language.value === "zh";
  const { accepted } = report;
  return (
    <dl id="words">
      {accepted?.binder === "card" && <dd class="strong">{t(WORDS.cardOnly)}</dd>}
      {!accepted && (
        <>
          <dt>{t(WORDS.say)}</dt>
          <dd>{zh ? report.text_zh : report.text_en}</dd>
        </>
      )}
      <dt>{t(WORDS.todo)}</dt>
      <dd>{zh ? report.officer_zh : report.officer_en}</dd>
      {!accepted && clockFault.value && <dd class="strong">{t(clockFault.value)}</dd>}
      {asksForList(report.code) && (
        <dd>
          <Refresh />
        </dd>
      )}
      {accepted && (
        <>
          <dt>{t(WORDS.proved)}</dt>
          <dd>
            {t(accepted.worst === "green" ? WORDS.green : WORDS.notRed)}
            {accepted.test_age_hours > 0 &&
              (zh
                ? ` · ${accepted.test_age_hours}${WORDS.negative.zh}`
                : ` · negative test within ${accepted.test_age_hours} h`)}
          </dd>
          <dt>{t(WORDS.under)}</dt>
          <dd>
            {accepted.rule_set} · {accepted.age_min} {t(WORDS.minutesAgo)}
          </dd>
        </>
      )}
      <dt>{t(WORDS.profile)}</dt>
      <dd>{profile.value}</dd>
      <dt>{t(WORDS.list)}</dt>
      <dd>
        <Age list={report.list} /> · <code>{report.code}</code>
      </dd>
    </dl>
  );
}
