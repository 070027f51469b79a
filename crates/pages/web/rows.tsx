// A rule's rows in words.

import type { Row } from "@viridian/wire/public";

import { ColourMark } from "./colour.tsx";
import { language, t } from "./looks.tsx";
import { ROW_WORDS, clearingText, keyWords, offsetText } from "./rule_words.ts";

/** A row in words. */
export function RowInWords({ row }: { row: Row }) {
  return (
    <div class="row-words">
      <p>
        {t(ROW_WORDS.rowFor)}: {row.keys.map((key) => t(keyWords(key))).join("; ")}
      </p>
      <p>
        <ColourMark colour={row.first} />
        {row.switchAt && (
          <>
            {" "}
            → {offsetText(language.value, row.switchAt)} {t(ROW_WORDS.thenColour)} <ColourMark colour={row.then} />
          </>
        )}
        {row.lapse && (
          <>
            {" "}
            · {offsetText(language.value, row.lapse)} {t(ROW_WORDS.endsItself)}
          </>
        )}
      </p>
      {row.clearings.length > 0 ? (
        <>
          <p>{t(ROW_WORDS.waysOut)}:</p>
          <ul>
            {row.clearings.map((clearing, i) => (
              <li key={i}>{clearingText(language.value, clearing)}</li>
            ))}
          </ul>
        </>
      ) : (
        !row.lapse && <p>{t(ROW_WORDS.noWayOut)}</p>
      )}
    </div>
  );
}
