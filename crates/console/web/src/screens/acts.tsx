// What was done at this console, newest first, for who audits it.

import type { Act } from "@viridian/wire/console";

import { hex } from "../../../../pages/web/bytes.ts";
import { momentText } from "../../../../pages/web/dates.ts";
import { language, t } from "../../../../pages/web/looks.tsx";
import { Faulty, Head, useList } from "../parts.tsx";
import { call } from "../session.ts";
import { ACTS, WORDS } from "../words.ts";

async function ask(before: bigint, isByItself: boolean) {
  const { acts, next, head } = await call((to) => to.listActs({ before, isByItself }), isByItself);
  return { lines: acts, next, head };
}

export function Acts() {
  const { found, all, fault, isAsking, isStale, look, more } = useList(ask);
  return (
    <section aria-labelledby="acts">
      <Head words={WORDS.acts} id="acts" isAsking={isAsking} isStale={isStale} look={() => void look()} />
      <p>{t(WORDS.actsText)}</p>
      <Faulty fault={fault} />
      {found && (
        <p>
          {t(WORDS.headDigest)}: <code data-testid="head">{hex(found.head)}</code>
        </p>
      )}
      {found && all.length === 0 && <p>{t(WORDS.actsNone)}</p>}
      <ol class="acts" reversed>
        {all.map((act) => (
          <One key={act.number} act={act} />
        ))}
      </ol>
      {more && <button onClick={() => void more()}>{t(WORDS.older)}</button>}
    </section>
  );
}

function One({ act }: { act: Act }) {
  const what = ACTS[act.what];
  return (
    <li value={Number(act.number)} data-testid="act">
      <time>{momentText(language.value, Number(act.atS))}</time> <strong>{act.who || t(WORDS.itself)}</strong>:{" "}
      {what ? t(what) : act.what} {act.about.length > 0 && <code title={hex(act.about)}>{hex(act.about).slice(-8)}</code>}
      {act.words && <span class="said">{act.words}</span>}
    </li>
  );
}
