// The age of a trust list.

import { language, t } from "../../../pages/web/looks.tsx";
import { WORDS } from "./words.ts";

/** How old the trust list is, in words. */
export function Age({ list }: { list: { age_s: number } | null }) {
  if (!list) return <>{t(WORDS.listNone)}</>;
  const minutes = Math.floor(list.age_s / 60);
  const [count, unit] = minutes < 180 ? [minutes, WORDS.minutes] : [Math.floor(minutes / 60), WORDS.hours];
  return <>{language.value === "zh" ? `更新于 ${count} ${t(unit)}前` : `${count} ${t(unit)} old`}</>;
}
