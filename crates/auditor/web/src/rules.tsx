// Rule sets: those in force first, each with its rows in words where its text is at hand.

import { useState } from "preact/hooks";
import type { GetRuleTextResponse, RuleSet, Text } from "@viridian/wire/public";

import { hex } from "../../../pages/web/bytes.ts";
import { Impacts } from "../../../pages/web/impact.tsx";
import { language, t } from "../../../pages/web/looks.tsx";
import { PUBLISHED } from "../../../pages/web/published_words.ts";
import { RuleChanges } from "../../../pages/web/rule_changes.tsx";
import { inForceBefore } from "../../../pages/web/rule_diff.ts";
import { RowInWords } from "../../../pages/web/rows.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { Digest, Line, province, slotName } from "./parts.tsx";
import { ageText, minuteText } from "./dates.ts";
import { askImpacts, askRuleText } from "./service.ts";
import { nowS, overview } from "./state.ts";
import { WORDS } from "./words.ts";

const said = (text: Text | undefined): string => (text ? t(text) : "");

function stateOf(set: RuleSet): { words: Words; rank: number } {
  const minute = nowS() / 60;
  if (minute < set.fromMinute) return { words: WORDS.notYet, rank: 1 };
  if (set.untilMinute !== 0 && minute >= set.untilMinute) return { words: WORDS.over, rank: 2 };
  return { words: WORDS.inForce, rank: 0 };
}

export function Rules() {
  const sets = [...(overview.value?.ruleSets ?? [])];
  sets.sort((a, b) => stateOf(a).rank - stateOf(b).rank || a.scope - b.scope || a.fromMinute - b.fromMinute);
  return (
    <section aria-labelledby="rules">
      <h2 id="rules">{t(WORDS.rules)}</h2>
      <p>{t(WORDS.rulesText)}</p>
      {sets.length === 0 && <p class="warn">{t(WORDS.listNone)}</p>}
      {sets.map((set) => (
        <One key={hex(set.shortId)} set={set} sets={sets} />
      ))}
    </section>
  );
}

function One({ set, sets }: { set: RuleSet; sets: RuleSet[] }) {
  const state = stateOf(set);
  return (
    <article class="card" data-testid="rule-set">
      <h3>
        {set.ruleSetId} <span class="tag">{t(state.words)}</span>
      </h3>
      {set.isEmergency && <p class="strong">{t(WORDS.emergency)}</p>}
      <dl>
        <Line name={WORDS.version}>{set.version}</Line>
        <Line name={WORDS.scope}>{province(set.scope)}</Line>
        <Line name={WORDS.from}>{minuteText(language.value, set.fromMinute)}</Line>
        {state.words === WORDS.notYet && (
          <Line name={WORDS.bindsIn}>{ageText(language.value, set.fromMinute * 60 - nowS())}</Line>
        )}
        <Line name={WORDS.until}>
          {set.untilMinute === 0 ? t(WORDS.noEnd) : minuteText(language.value, set.untilMinute)}
        </Line>
        <Line name={WORDS.digest}>
          <Digest bytes={set.digest} />
        </Line>
        <Line name={WORDS.shortId}>
          <Digest bytes={set.shortId} />
        </Line>
      </dl>
      {set.hasText ? <Full set={set} /> : <p>{t(WORDS.noText)}</p>}
      {state.words === WORDS.notYet && <RuleChanges set={set} before={inForceBefore(set, sets, nowS() / 60)} ask={askRuleText} />}
      <Changed set={set} isOpen={state.words === WORDS.notYet} />
    </article>
  );
}

/** Whom it changes: at once where it is not in force yet, else to whoever asks. */
function Changed({ set, isOpen }: { set: RuleSet; isOpen: boolean }) {
  const [isAsked, ask] = useState(isOpen);
  return (
    <details open={isOpen} onToggle={(event) => event.currentTarget.open && ask(true)}>
      <summary>{t(PUBLISHED.impact)}</summary>
      {isAsked && <Impacts shortId={set.shortId} ask={askImpacts} nameOf={slotName} asOf={overview.value?.lookedAtS} />}
    </details>
  );
}

function Full({ set }: { set: RuleSet }) {
  const [text, setText] = useState<GetRuleTextResponse | null>(null);
  const [failed, setFailed] = useState(false);
  const open = (event: Event) => {
    if (!(event.currentTarget as HTMLDetailsElement).open || text) return;
    askRuleText(set.digest).then(
      (answer) => {
        setText(answer);
        setFailed(false);
      },
      () => setFailed(true),
    );
  };
  return (
    <details onToggle={open}>
      <summary>{t(WORDS.readText)}</summary>
      {failed && (
        <p class="warn" role="alert">
          {t(WORDS.noService)}
        </p>
      )}
      {text && <TextOf text={text} />}
    </details>
  );
}

function TextOf({ text }: { text: GetRuleTextResponse }) {
  return (
    <div data-testid="rule-text">
      <p class="strong">{said(text.title)}</p>
      <dl>
        <Line name={WORDS.authority}>{said(text.authority)}</Line>
        <Line name={WORDS.source}>{text.source}</Line>
        <Line name={WORDS.textDigest}>
          <Digest bytes={text.textSha256} />
        </Line>
        <Line name={WORDS.lookback}>{text.lookbackHours.join(" / ")}</Line>
      </dl>
      <ol class="rules">
        {text.rules.map((rule) => (
          <li key={rule.ruleId}>
            <p>
              <strong>{rule.ruleId}</strong> {said(rule.text)}
            </p>
            <p class="detail">
              {t(WORDS.source)}: {rule.source}
            </p>
            {rule.rows.map((row) => (
              <RowInWords key={row.keys.join()} row={row} />
            ))}
          </li>
        ))}
      </ol>
      {text.otherwise && (
        <p>
          <strong>{t(WORDS.otherwise)}</strong> {said(text.otherwise)}
        </p>
      )}
    </div>
  );
}
