// On a proxy's phone: the code that the person's phone takes, and whether it has been taken.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { language, t } from "../../../../pages/web/looks.tsx";
import { CodePicture } from "../code.tsx";
import { momentText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { Faulty } from "../parts.tsx";
import { attempt, CONSENT_OVER, consent, fillStock, status, wallet } from "../state.ts";
import type { Drawing } from "../wallet.ts";
import { WORDS } from "../words.ts";

const shown = state<(Drawing & { text: string }) | null>(null);
const fault = state<Fault | null>(null);

async function look(): Promise<void> {
  const failed = await attempt(async (open) => void (await open.query()));
  fault.value = failed?.code === "UNKNOWN_DEVICE" ? null : failed;
  if (!failed) void fillStock();
}

export function Mandate() {
  useEffect(() => {
    void wallet.value?.mandate().then((code) => (shown.value = code));
    void look();
  }, []);
  const own = status.value?.proxies[0];
  const over = CONSENT_OVER[consent.value];
  return (
    <section class="deeds">
      <h2>{t(WORDS.mandate)}</h2>
      <Faulty fault={fault.value} />
      {over ? (
        <p class="warn" role="status">
          {t(over)}
        </p>
      ) : own ? (
        <p class="done" role="status">
          {t(WORDS.mandateUntil)} {momentText(language.value, own.untilMinute * 60)}
        </p>
      ) : (
        <p role="status">{t(WORDS.mandateWaiting)}</p>
      )}
      <p>{t(WORDS.mandateText)}</p>
      {shown.value && (
        <>
          <CodePicture code={shown.value} name="mandate-code" />
          <p class="detail" data-testid="mandate-text">
            {shown.value.text}
          </p>
        </>
      )}
      <button class="main" onClick={() => void look()}>
        {t(WORDS.mandateLook)}
      </button>
    </section>
  );
}
