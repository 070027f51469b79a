// Pieces that several sections are made of.

import { ageText, momentText } from "../../../pages/web/dates.ts";
import { language, t } from "../../../pages/web/looks.tsx";
import { slotName as name, slotWords as words } from "../../../pages/web/published.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { nowS, overview } from "./state.ts";
import { WORDS } from "./words.ts";

export { Line } from "../../../pages/web/line.tsx";
export { Digest, NotVerified, scopeName as province } from "../../../pages/web/published.tsx";

/** A time and how long ago it was. */
export function When({ second }: { second: number }) {
  return (
    <>
      {momentText(language.value, second)} ({t(WORDS.age)} {ageText(language.value, nowS() - second)})
    </>
  );
}

/** A slot as people call it. */
export const slotName = (number: number): string => name(overview.value, number);

/** The same as the beginning of a sentence. */
export const slotWords = (number: number): Words => words(overview.value, number);
