// What an announced rule set changes in the one that is in force, in words.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { GetRuleTextResponse, Row, Rule, RuleSet, Text } from "@viridian/wire/public";

import { hex } from "./bytes.ts";
import { t } from "./looks.tsx";
import { RowInWords } from "./rows.tsx";
import { isSame, ruleDiff, type ChangedRule, type RuleDiff } from "./rule_diff.ts";
import { w, type Words } from "./words.ts";

const WORDS = {
  title: w("与现行规则的不同", "What differs from the rules in force"),
  none: w("目前没有现行规则可比较:全部是新的。", "There are no rules in force to compare with: all of these are new."),
  noText: w("两套规则的文本不都在手中，不能比较。", "The texts of both are not at hand; they cannot be compared."),
  failed: w("没有得到应答。", "There was no answer."),
  loading: w("正在读取…", "Reading …"),
  compared: w("对照", "Compared with"),
  version: w("版本", "version"),
  same: w("文字和各行规则都相同。", "Words and rows are the same."),
  added: w("新增", "New"),
  gone: w("删去", "Gone"),
  changed: w("改动", "Changed"),
  renumbered: w("仅编号不同", "Only with another number"),
  otherwise: w("其他情形", "Anything else"),
  lookback: w("风险地区回溯小时数(低/中/高)", "Hours that a listing reaches back (low / medium / high)"),
  before: w("原为", "Before"),
  after: w("改为", "After"),
  sameWords: w("文字未变，行有变。", "The words are the same; the rows differ."),
  sameRows: w("仅文字有变。", "Only the words differ."),
  nothing: w("无", "nothing"),
} satisfies Record<string, Words>;

const said = (text: Text | undefined): string => (text ? t(text) : t(WORDS.nothing));

interface Asked {
  set: RuleSet;
  /** The one that is in force; `null` where there is none. */
  before: RuleSet | null;
  ask: (digest: Uint8Array) => Promise<GetRuleTextResponse>;
}

export function RuleChanges({ set, before, ask }: Asked) {
  return (
    <div data-testid="changes">
      <h4>{t(WORDS.title)}</h4>
      {before === null && <p>{t(WORDS.none)}</p>}
      {before !== null && (
        <p class="detail">
          {t(WORDS.compared)}: {before.ruleSetId} {t(WORDS.version)} {before.version}
        </p>
      )}
      {before !== null && (set.hasText && before.hasText ? <Compared set={set} before={before} ask={ask} /> : <p>{t(WORDS.noText)}</p>)}
    </div>
  );
}

function Compared({ set, before, ask }: Asked & { before: RuleSet }) {
  const of = `${hex(before.digest)} ${hex(set.digest)}`;
  const [told, tell] = useState<{ of: string; diff: RuleDiff } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let isWanted = true;
    setFailed(false);
    Promise.all([ask(before.digest), ask(set.digest)]).then(
      ([old, young]) => isWanted && tell({ of, diff: ruleDiff(old, young) }),
      () => isWanted && setFailed(true),
    );
    return () => {
      isWanted = false;
    };
  }, [of]);
  if (told?.of === of) return <Diff diff={told.diff} />;
  if (!failed) return <p role="status">{t(WORDS.loading)}</p>;
  return (
    <p class="warn" role="alert">
      {t(WORDS.failed)}
    </p>
  );
}

function Diff({ diff }: { diff: RuleDiff }) {
  if (isSame(diff)) return <p>{t(WORDS.same)}</p>;
  return (
    <>
      <Part words={WORDS.added} name="added" count={diff.added.length}>
        {diff.added.map((rule) => (
          <Whole key={rule.ruleId} rule={rule} />
        ))}
      </Part>
      <Part words={WORDS.gone} name="gone" count={diff.gone.length}>
        {diff.gone.map((rule) => (
          <Whole key={rule.ruleId} rule={rule} />
        ))}
      </Part>
      <Part words={WORDS.changed} name="changed" count={diff.changed.length}>
        {diff.changed.map((rule) => (
          <Changed key={rule.after.ruleId} rule={rule} />
        ))}
      </Part>
      <Part words={WORDS.renumbered} name="renumbered" count={diff.renumbered.length}>
        <p>{diff.renumbered.map(({ before, after }) => `${before.ruleId} → ${after.ruleId}`).join(", ")}</p>
      </Part>
      <Part words={WORDS.otherwise} name="otherwise" count={diff.otherwise ? 1 : 0}>
        <BeforeAfter before={said(diff.otherwise?.before)} after={said(diff.otherwise?.after)} />
      </Part>
      <Part words={WORDS.lookback} name="lookback" count={diff.lookback ? 1 : 0}>
        <BeforeAfter before={diff.lookback?.before.join(" / ") ?? ""} after={diff.lookback?.after.join(" / ") ?? ""} />
      </Part>
    </>
  );
}

function Part({ words, name, count, children }: { words: Words; name: string; count: number; children: ComponentChildren }) {
  if (count === 0) return null;
  return (
    <div data-testid={`rules-${name}`}>
      <p class="strong">
        {t(words)} ({count})
      </p>
      {children}
    </div>
  );
}

function Rows({ rows }: { rows: Row[] }) {
  return (
    <>
      {rows.map((row) => (
        <RowInWords key={row.keys.join()} row={row} />
      ))}
    </>
  );
}

function Whole({ rule }: { rule: Rule }) {
  return (
    <>
      <p>
        <strong>{rule.ruleId}</strong> {said(rule.text)}
      </p>
      <Rows rows={rule.rows} />
    </>
  );
}

function BeforeAfter({ before, after }: { before: string; after: string }) {
  return (
    <>
      <p>
        {t(WORDS.before)}: {before}
      </p>
      <p>
        {t(WORDS.after)}: {after}
      </p>
    </>
  );
}

function Changed({ rule: { before, after, hasOtherWords, rowsGone, rowsNew } }: { rule: ChangedRule }) {
  const hasOtherRows = rowsGone.length + rowsNew.length > 0;
  return (
    <div data-testid="changed-rule">
      <p>
        <strong>{after.ruleId}</strong> {!hasOtherWords && t(WORDS.sameWords)} {!hasOtherRows && t(WORDS.sameRows)}
      </p>
      {hasOtherWords ? <BeforeAfter before={said(before.text)} after={said(after.text)} /> : <p>{said(after.text)}</p>}
      {rowsGone.length > 0 && <p>{t(WORDS.before)}:</p>}
      <Rows rows={rowsGone} />
      {rowsNew.length > 0 && <p>{t(WORDS.after)}:</p>}
      <Rows rows={rowsNew} />
    </div>
  );
}
