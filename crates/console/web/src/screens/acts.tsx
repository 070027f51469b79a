// What was done at this console, newest first, for who audits it.

import { useState } from "preact/hooks";
import type { Act } from "@viridian/wire/console";

import { hex } from "../../../../pages/web/bytes.ts";
import { minuteText } from "../../../../pages/web/dates.ts";
import type { Fault } from "../../../../pages/web/fault.ts";
import { language, t } from "../../../../pages/web/looks.tsx";
import { Faulty, Head, useAsked } from "../parts.tsx";
import { faultOf } from "../service.ts";
import { call } from "../session.ts";
import { ACTS, WORDS } from "../words.ts";

export function Acts() {
  const { found, fault, isAsking, look } = useAsked(() => call((to) => to.listActs({})));
  const [older, setOlder] = useState<{ acts: Act[]; next: bigint } | null>(null);
  const [olderFault, setOlderFault] = useState<Fault | null>(null);
  const next = older?.next ?? found?.next ?? 0n;
  const more = async () => {
    try {
      const answer = await call((to) => to.listActs({ before: next }));
      setOlder({ acts: [...(older?.acts ?? []), ...answer.acts], next: answer.next });
      setOlderFault(null);
    } catch (error) {
      setOlderFault(faultOf(error));
    }
  };
  const newest = found?.acts ?? [];
  const last = newest.at(-1)?.number ?? 0n;
  const acts = [...newest, ...(older?.acts ?? []).filter((act) => act.number < last)];
  return (
    <section aria-labelledby="acts">
      <Head words={WORDS.acts} id="acts" isAsking={isAsking} look={() => void look()} />
      <p>{t(WORDS.actsText)}</p>
      <Faulty fault={fault ?? olderFault} />
      {found && (
        <p>
          {t(WORDS.headDigest)}: <code data-testid="head">{hex(found.head)}</code>
        </p>
      )}
      {found && acts.length === 0 && <p>{t(WORDS.actsNone)}</p>}
      <ol class="acts" reversed>
        {acts.map((act) => (
          <One key={act.number} act={act} />
        ))}
      </ol>
      {next !== 0n && <button onClick={() => void more()}>{t(WORDS.older)}</button>}
    </section>
  );
}

function One({ act }: { act: Act }) {
  const what = ACTS[act.what];
  return (
    <li value={Number(act.number)} data-testid="act">
      <strong>{act.who || t(WORDS.itself)}</strong> {what ? t(what) : act.what}{" "}
      <time>{minuteText(language.value, Number(act.atS) / 60)}</time>
      {act.words && <span class="said">{act.words}</span>}
      {act.about.length > 0 && <code title={hex(act.about)}>{hex(act.about).slice(-8)}</code>}
    </li>
  );
}
