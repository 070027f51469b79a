// Where the own appeals stand: until when each is decided, and what the office said.

import { CorrectionState, type Appeal } from "@viridian/wire/resident";

import { language, t } from "../../../pages/web/looks.tsx";
import { w, type Words } from "../../../pages/web/words.ts";
import { minuteText } from "./dates.ts";
import { hex } from "./keys.ts";
import { actsFor, go, status } from "./state.ts";
import { who } from "./who.ts";
import { WORDS } from "./words.ts";

/** What for the own record was read. */
export const PURPOSE_APPEAL = w("裁定我的申诉，只看到有争议的事件", "to decide my appeal, shown nothing but what I contest");

const MINE = w("我的申诉", "My appeals");
const CAME = w("提交", "Sent");
const DECIDED = w("裁定时间", "Decided");
const OVERDUE = w("已超过期限，申诉办公室仍须裁定", "past its time; the office still has to decide it");
const OFFICE = w("裁定机构", "Decided by");
const ANSWER = w("答复", "The office says");
const GONE = w("已过保存期的事件", "An event that is kept no more");

/** What events state, by the words of the home. */
const KINDS: Record<string, Words> = {
  "confirmed-case": w("确诊病例", "Confirmed case"),
  "asymptomatic-case": w("无症状感染者", "Asymptomatic case"),
  "suspected-case": w("疑似病例", "Suspected case"),
  "screened-positive": w("初筛阳性", "Positive in screening"),
  "close-contact": w("密切接触者", "Close contact"),
  "secondary-contact": w("密接的密接", "Contact of a close contact"),
  entry: w("入境", "Entry from abroad"),
  "cold-chain-once": w("接触阳性冷链物品一次", "Touched positive cold-chain goods once"),
  "cold-chain-frequent": w("经常接触冷链物品", "Touches cold-chain goods as work"),
  "fever-clinic": w("发热门诊患者", "Fever-clinic patient"),
  "possible-link": w("可能与阳性者有关", "Possibly linked to a positive"),
  "assist-list": w("全国协查名单", "On the national assist list"),
  "potential-risk": w("潜在风险", "Potential risk"),
  "pooled-tube": w("混管阳性", "In a positive pooled tube"),
  symptoms: w("申报有症状", "Declared symptoms"),
  "check-in": WORDS.checkIn,
  stay: w("到访", "Stay in a place"),
  release: w("事实的结束", "End of an earlier fact"),
  "negative-test": w("核酸阴性", "Negative test"),
};

const STATES: Record<number, Words> = {
  [CorrectionState.OPEN]: WORDS.contestOpen,
  [CorrectionState.UPHELD]: WORDS.contestUpheld,
  [CorrectionState.DISMISSED]: WORDS.contestDismissed,
};

/** What an event states. */
export function kindText(kind: string): string {
  const words = KINDS[kind];
  return words ? t(words) : kind;
}

/** The way to contest an event; where that was done and is not decided, until when it will be. */
export function ContestOf({ event }: { event: Uint8Array }) {
  const name = hex(event);
  if (actsFor.value !== null) return null;
  const open = status.value?.appeals.find(({ eventId, state }) => hex(eventId) === name && state === CorrectionState.OPEN);
  if (!open) return <button onClick={() => go("contest", name)}>{t(WORDS.contest)}</button>;
  return (
    <p class="strong" data-testid="contested">
      {t(WORDS.contested)} {minuteText(language.value, open.decideByMinute)}
    </p>
  );
}

export function Appeals({ appeals, now }: { appeals: Appeal[]; now: number }) {
  if (appeals.length === 0) return null;
  return (
    <>
      <h3>{t(MINE)}</h3>
      {appeals.map((appeal) => (
        <One key={hex(appeal.caseId)} appeal={appeal} now={now} />
      ))}
    </>
  );
}

function One({ appeal, now }: { appeal: Appeal; now: number }) {
  const state = STATES[appeal.state];
  const isOpen = appeal.state === CorrectionState.OPEN;
  return (
    <article class="reason" data-testid="appeal">
      <h4>{kindText(appeal.kind) || t(GONE)}</h4>
      <p>
        <strong>{state && t(state)}</strong>
      </p>
      <dl>
        <dt>{t(CAME)}</dt>
        <dd>{minuteText(language.value, appeal.openedAtMinute)}</dd>
        {isOpen && (
          <>
            <dt>{t(WORDS.contestBy)}</dt>
            <dd>
              {minuteText(language.value, appeal.decideByMinute)}
              {now > appeal.decideByMinute && <strong> · {t(OVERDUE)}</strong>}
            </dd>
          </>
        )}
        {appeal.decidedAtMinute !== 0 && (
          <>
            <dt>{t(DECIDED)}</dt>
            <dd>{minuteText(language.value, appeal.decidedAtMinute)}</dd>
          </>
        )}
        {appeal.office && (
          <>
            <dt>{t(OFFICE)}</dt>
            <dd>{t(who(appeal.office))}</dd>
          </>
        )}
        {appeal.words && (
          <>
            <dt>{t(ANSWER)}</dt>
            <dd class="said">{appeal.words}</dd>
          </>
        )}
      </dl>
    </article>
  );
}
