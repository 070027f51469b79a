// What the forms of proposals have alike: one name for one content, and what is said once it was sent.

import { freshId, hex } from "../../../pages/web/bytes.ts";
import { minuteText } from "../../../pages/web/dates.ts";
import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { linkTo } from "./route.ts";
import { WORDS } from "./words.ts";

/** Names what is proposed: the same content has the same name, so that what is sent twice is one proposal. */
export class Names {
  private named = { id: freshId(), what: "" };

  of(content: unknown): Uint8Array<ArrayBuffer> {
    const what = JSON.stringify(content);
    if (this.named.what !== what) this.named = { id: freshId(), what };
    return this.named.id;
  }

  /** The next one is another, even if it says the same. */
  next(): void {
    this.named = { id: freshId(), what: "" };
  }
}

/** What was proposed last. */
export interface Sent {
  id: Uint8Array;
  lapses: number;
}

export function WasProposed({ sent }: { sent: Sent }) {
  return (
    <>
      <p class="done" role="status">
        {t(WORDS.proposed)} {minuteText(language.value, sent.lapses)}
      </p>
      <p>
        <a href={linkTo("proposal", hex(sent.id))}>{t(WORDS.seeProposal)}</a>
      </p>
    </>
  );
}

export function Done({ title, sent, again }: { title: Words; sent: Sent; again: () => void }) {
  return (
    <section>
      <h2>{t(title)}</h2>
      <WasProposed sent={sent} />
      <button class="main" onClick={again}>
        {t(WORDS.another)}
      </button>
    </section>
  );
}
