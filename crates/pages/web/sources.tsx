// What sources stated at their discretion on a day.

import { SourcesRead, type Day, type SourceCell } from "@viridian/wire/public";

import { countText } from "./count_text.ts";
import { t } from "./looks.tsx";
import { institution, officeWords } from "./offices.ts";
import { PUBLISHED } from "./published_words.ts";
import { factWords } from "./rule_words.ts";

function nameOf({ provinceCode, sourceKind, number }: SourceCell): string {
  return t(institution(provinceCode, officeWords(sourceKind), number));
}

/** A source that is not named stated fewer than 10. */
export function Sources({ day }: { day: Day }) {
  return (
    <div data-testid="sources">
      <span class="detail">{t(PUBLISHED.sources)}</span>
      {day.sourcesRead === SourcesRead.NONE && <p>{t(PUBLISHED.sourcesNone)}</p>}
      {day.sourcesRead === SourcesRead.WHOLE && day.sources.length === 0 && <p>{t(PUBLISHED.sourcesNobody)}</p>}
      {day.sources.length > 0 && (
        <ul>
          {day.sources.map((cell) => (
            <li key={`${cell.provinceCode} ${cell.sourceKind} ${cell.number} ${cell.fact}`}>
              {nameOf(cell)} · {t(factWords(cell.fact))}: {countText(cell.events)}
            </li>
          ))}
        </ul>
      )}
      {day.sourcesRead === SourcesRead.PART && <p>{t(PUBLISHED.sourcesPart)}</p>}
    </div>
  );
}
