// Rule sets: those in force first, each with its rows in words where its text is at hand.

import { useState } from "preact/hooks";
import type { Clearing, GetRuleTextResponse, Offset, Row, RuleSet, Text } from "@viridian/wire/public";

import { ColourMark } from "../../../pages/web/colour.tsx";
import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { Digest, Line, hex, province } from "./parts.tsx";
import { minuteText } from "./dates.ts";
import { askRuleText } from "./service.ts";
import { nowS, overview } from "./state.ts";
import { WORDS, keyWords } from "./words.ts";

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
        <One key={hex(set.shortId)} set={set} />
      ))}
    </section>
  );
}

function One({ set }: { set: RuleSet }) {
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
    </article>
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
              <OneRow key={row.keys.join()} row={row} />
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

function OneRow({ row }: { row: Row }) {
  return (
    <div class="row-words">
      <p>
        {t(WORDS.rowFor)}: {row.keys.map((key) => t(keyWords(key))).join("; ")}
      </p>
      <p>
        <ColourMark colour={row.first} />
        {row.switchAt && (
          <>
            {" "}
            → {offset(row.switchAt)} {t(WORDS.thenColour)} <ColourMark colour={row.then} />
          </>
        )}
        {row.lapse && (
          <>
            {" "}
            · {offset(row.lapse)} {t(WORDS.endsItself)}
          </>
        )}
      </p>
      {row.clearings.length > 0 ? (
        <>
          <p>{t(WORDS.waysOut)}:</p>
          <ul>
            {row.clearings.map((clearing, i) => (
              <li key={i}>{clearingText(clearing)}</li>
            ))}
          </ul>
        </>
      ) : (
        !row.lapse && <p>{t(WORDS.noWayOut)}</p>
      )}
    </div>
  );
}

function offset({ hours, days }: Offset): string {
  if (days > 0) return language.value === "zh" ? `第${days}天零时` : `from the midnight of day ${days}`;
  return language.value === "zh" ? `满${hours}小时` : `after ${hours} hours`;
}

function clearingText(clearing: Clearing): string {
  const zh = language.value === "zh";
  const parts: string[] = [];
  const after = clearing.after;
  if (after && after.hours + after.days > 0) parts.push(offset(after));
  if (clearing.negatives > 0) {
    const from = clearing.negativesFromHours;
    const since = zh ? `(起始${from >= 0 ? "后" : "前"}${Math.abs(from)}小时起采样)` : ` (sampled from ${Math.abs(from)} h ${from >= 0 ? "after" : "before"} the beginning)`;
    const many = zh ? `，${clearing.spanHours}小时内，间隔至少${clearing.gapHours}小时` : ` within ${clearing.spanHours} h, at least ${clearing.gapHours} h apart`;
    parts.push(
      (zh ? `${clearing.negatives}次核酸阴性` : `${clearing.negatives} negative test(s)`) + (clearing.negatives > 1 ? many : "") + since,
    );
  }
  if (clearing.checkInDays > 0) parts.push(zh ? `连续${clearing.checkInDays}天正常打卡` : `${clearing.checkInDays} days of normal check-in`);
  if (parts.length === 0) return zh ? "无其他条件" : "nothing further";
  return parts.join(zh ? "，且" : ", and ");
}
