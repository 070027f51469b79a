// Where the own appeals stand: until when each is decided, and what the office said.

import { CorrectionState, type Appeal } from "@viridian/wire/resident";

import { language, t } from "../../../pages/web/looks.tsx";
import { w, type Words } from "../../../pages/web/words.ts";
import { minuteText } from "./dates.ts";
import { hex } from "./keys.ts";
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

/** Kinds of events, by their names in the rules. */
const KINDS: Record<string, Words> = {
  "check-in": WORDS.checkIn,
  test: w("核酸检测", "Test"),
  stay: w("到访", "Stay in a place"),
  contact: w("接触", "Contact"),
  case: w("病例", "Case"),
  entry: w("入境", "Entry from abroad"),
  "cold-chain": w("接触冷链物品", "Cold-chain goods"),
  "fever-clinic": w("发热门诊", "Fever clinic"),
  list: w("名单", "On a list"),
  "pooled-tube": w("混管阳性", "Positive pooled tube"),
  release: w("事实的结束", "End of an earlier fact"),
};

const STATES: Record<number, Words> = {
  [CorrectionState.OPEN]: WORDS.contestOpen,
  [CorrectionState.UPHELD]: WORDS.contestUpheld,
  [CorrectionState.DISMISSED]: WORDS.contestDismissed,
};

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
  const kind = KINDS[appeal.kind];
  const state = STATES[appeal.state];
  const isOpen = appeal.state === CorrectionState.OPEN;
  return (
    <article class="reason" data-testid="appeal">
      <h4>{kind ? t(kind) : appeal.kind || t(GONE)}</h4>
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
            <dd>{appeal.office}</dd>
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
