// Of a day: what came of appeals, and what was kept no longer.

import { AppealWait, type Count, type Day } from "@viridian/wire/public";

import { dayShort } from "./dates.ts";
import { language, t } from "./looks.tsx";
import { w, type Words } from "./words.ts";

const WORDS = {
  appeals: w("申诉", "Appeals"),
  appealsNone: w("读到的条目没有说明申诉。", "The entries read tell nothing of appeals."),
  came: w("收到", "Came"),
  upheld: w("成立", "Upheld"),
  dismissed: w("驳回", "Dismissed"),
  waiting: w("当日结束时等待，未逾期", "Waiting at the day's end, with time left"),
  overdue: w("当日结束时等待，已逾期", "Waiting at the day's end, overdue"),
  left: w("不再保存", "Kept no longer"),
  leftNone: w("没有说明当日删除了过期的数据。", "Nothing says that what is past its time left on this day."),
  events: w("事件", "Events"),
  erased: w("删除的记录", "Records erased"),
  horizon: w("保存天数", "Days kept"),
  first: w("保存起始日", "Held from"),
};

const WAITS: Record<number, Words> = {
  [AppealWait.HOUR]: w("1小时内", "within 1 hour"),
  [AppealWait.FOUR_HOURS]: w("4小时内", "within 4 hours"),
  [AppealWait.EIGHT_HOURS]: w("8小时内", "within 8 hours"),
  [AppealWait.LONGER]: w("8小时以上，未逾期", "above 8 hours, in time"),
  [AppealWait.LATE_DAY]: w("逾期，24小时内", "late, within 24 hours"),
  [AppealWait.LATE_LONGER]: w("逾期，24小时以上", "late, above 24 hours"),
};

type Text = (count: Count | undefined) => string;

export function Daily({ day, text }: { day: Day; text: Text }) {
  return (
    <>
      <Appeals day={day} text={text} />
      <Left day={day} text={text} />
    </>
  );
}

function Appeals({ day, text }: { day: Day; text: Text }) {
  const told = day.appeals;
  if (!told) return <p class="detail">{t(WORDS.appealsNone)}</p>;
  const decided = (isUpheld: boolean) => told.decided.filter((cell) => cell.isUpheld === isUpheld);
  return (
    <details data-testid="appeals">
      <summary>
        {t(WORDS.appeals)}: {t(WORDS.came)} {text(told.came)}
      </summary>
      <ul>
        {[true, false].map((isUpheld) =>
          decided(isUpheld).map((cell) => (
            <li key={`${isUpheld} ${cell.wait}`}>
              {t(isUpheld ? WORDS.upheld : WORDS.dismissed)}, {t(WAITS[cell.wait] ?? w("?", "?"))}: {text(cell.appeals)}
            </li>
          )),
        )}
        <li>
          {t(WORDS.waiting)}: {text(told.waiting)}
        </li>
        <li>
          {t(WORDS.overdue)}: {text(told.overdue)}
        </li>
      </ul>
    </details>
  );
}

function Left({ day, text }: { day: Day; text: Text }) {
  const told = day.retention;
  if (!told) return <p class="detail">{t(WORDS.leftNone)}</p>;
  return (
    <details data-testid="retention">
      <summary>
        {t(WORDS.left)}: {t(WORDS.events)} {text(told.events)}, {t(WORDS.erased)} {text(told.erased)}
      </summary>
      {t(WORDS.horizon)}: {told.horizonDays}. {t(WORDS.first)}: {dayShort(language.value, told.firstDay)}.
    </details>
  );
}
