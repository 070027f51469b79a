// Rule sets: those in force first, each with its rows in words where its text is at hand; of one that is announced also when it
// binds, what it changes, and whom.

import { useState } from "preact/hooks";
import type { GetRuleTextResponse, RuleSet, Text } from "@viridian/wire/public";

import { hex } from "./bytes.ts";
import { ageText, momentText } from "./dates.ts";
import { Impacts } from "./impact.tsx";
import { Line } from "./line.tsx";
import { language, t } from "./looks.tsx";
import { Digest, scopeName, slotName, type Published } from "./published.tsx";
import { PUBLISHED, RULE_SET_WORDS as WORDS } from "./published_words.ts";
import { RuleChanges } from "./rule_changes.tsx";
import { inForceBefore } from "./rule_diff.ts";
import { RowInWords } from "./rows.tsx";
import type { Words } from "./words.ts";

const said = (text: Text | undefined): string => (text ? t(text) : "");

function stateOf(set: RuleSet, nowS: number): { words: Words; rank: number } {
  const minute = nowS / 60;
  if (minute < set.fromMinute) return { words: WORDS.notYet, rank: 1 };
  if (set.untilMinute !== 0 && minute >= set.untilMinute) return { words: WORDS.over, rank: 2 };
  return { words: WORDS.inForce, rank: 0 };
}

/** All that the trust list names. */
export function RuleSets({ of }: { of: Published }) {
  const rank = (set: RuleSet) => stateOf(set, of.nowS).rank;
  const sets = [...of.known.ruleSets].sort((a, b) => rank(a) - rank(b) || a.scope - b.scope || a.fromMinute - b.fromMinute);
  return (
    <>
      <p>{t(WORDS.rulesText)}</p>
      {sets.length === 0 && <p class="warn">{t(WORDS.listNone)}</p>}
      {sets.map((set) => (
        <One key={hex(set.shortId)} set={set} sets={sets} of={of} />
      ))}
    </>
  );
}

function One({ set, sets, of }: { set: RuleSet; sets: RuleSet[]; of: Published }) {
  const state = stateOf(set, of.nowS);
  const isAnnounced = state.words === WORDS.notYet;
  return (
    <article class="card" data-testid="rule-set">
      <h3>
        {set.ruleSetId} <span class="tag">{t(state.words)}</span>
      </h3>
      {set.isEmergency && <p class="strong">{t(WORDS.emergency)}</p>}
      <dl>
        <Line name={WORDS.version}>{set.version}</Line>
        <Line name={WORDS.scope}>{scopeName(set.scope)}</Line>
        <Line name={WORDS.from}>{momentText(language.value, set.fromMinute * 60)}</Line>
        {isAnnounced && <Line name={WORDS.bindsIn}>{ageText(language.value, set.fromMinute * 60 - of.nowS)}</Line>}
        <Line name={WORDS.until}>
          {set.untilMinute === 0 ? t(WORDS.noEnd) : momentText(language.value, set.untilMinute * 60)}
        </Line>
        <Line name={WORDS.digest}>
          <Digest bytes={set.digest} />
        </Line>
        <Line name={WORDS.shortId}>
          <Digest bytes={set.shortId} />
        </Line>
      </dl>
      {set.hasText ? <Full set={set} ask={of.ask.ruleText} /> : <p>{t(WORDS.noText)}</p>}
      {isAnnounced && <RuleChanges set={set} before={inForceBefore(set, sets, of.nowS / 60)} ask={of.ask.ruleText} />}
      <Changed set={set} isOpen={isAnnounced} of={of} />
    </article>
  );
}

/** Whom it changes: at once where it is not in force yet, else to whoever asks. */
function Changed({ set, isOpen, of }: { set: RuleSet; isOpen: boolean; of: Published }) {
  const [isAsked, ask] = useState(isOpen);
  return (
    <details open={isOpen} onToggle={(event) => event.currentTarget.open && ask(true)}>
      <summary>{t(PUBLISHED.impact)}</summary>
      {isAsked && <Impacts shortId={set.shortId} ask={of.ask.impacts} nameOf={(slot) => slotName(of.known, slot)} asOf={of.known.lookedAtS} />}
    </details>
  );
}

function Full({ set, ask }: { set: RuleSet; ask: Published["ask"]["ruleText"] }) {
  const [text, setText] = useState<GetRuleTextResponse | null>(null);
  const [failed, setFailed] = useState(false);
  const open = (event: Event) => {
    if (!(event.currentTarget as HTMLDetailsElement).open || text) return;
    ask(set.digest).then(
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
          {t(PUBLISHED.failed)}
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
