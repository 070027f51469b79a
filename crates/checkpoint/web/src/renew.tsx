// The trust list's renewal: by itself, where a verdict asks for it, and by hand.

import { t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import type { Desk } from "./desk.ts";
import { desk, list, online, refused, renewal, type Renewal } from "./state.ts";
import { WORDS } from "./words.ts";

/** Verdicts that another list might change. */
const ASKS_FOR_LIST = new Set(["NO_LIST", "LIST_STALE", "LIST_EXPIRED", "UNKNOWN_CIRCUIT", "UNKNOWN_EPOCH", "UNKNOWN_RULE_SET"]);

export const asksForList = (code: string): boolean => ASKS_FOR_LIST.has(code);

/** The renewal that runs: a list is considered by one at a time. */
let running: { open: Desk; done: Promise<void> } | null = null;

/** Fetches what is newer than the list in hand. Never throws: what came of it is said on the page. */
export function renew(open: Desk): Promise<void> {
  if (running?.open === open) return running.done;
  const done = run(open).finally(() => {
    if (running?.open === open) running = null;
  });
  running = { open, done };
  return done;
}

async function run(open: Desk): Promise<void> {
  renewal.value = "running";
  let came: Renewal;
  try {
    came = (await open.renew()) ? "newer" : "same";
    if (desk.value !== open) return;
    online.value = true;
    refused.value = null;
  } catch (error) {
    if (desk.value !== open) return;
    // Not reached, or not believed: the list in hand serves on, and its age is shown.
    const reached = !isUnreachable(error);
    online.value = reached;
    refused.value = reached ? String(error) : null;
    came = reached ? "refused" : "unreachable";
  }
  renewal.value = came;
  list.value = open.list();
}

function isUnreachable(error: unknown): boolean {
  const code = (error as { code?: number }).code;
  return code === 14 || code === 4 || code === 2 || error instanceof TypeError;
}

const SAID: Record<Renewal, Words> = {
  running: WORDS.renewing,
  newer: WORDS.renewedNewer,
  same: WORDS.renewedSame,
  refused: WORDS.listRefused,
  unreachable: WORDS.renewedNot,
};

/** Has the list be fetched, and says what came of it. */
export function Refresh() {
  const open = desk.value;
  if (!open) return null;
  return (
    <div class="refresh">
      <p role="status" data-testid="renewal">
        {renewal.value && t(SAID[renewal.value])}
      </p>
      <button disabled={renewal.value === "running"} onClick={() => void renew(open)}>
        {t(WORDS.refresh)}
      </button>
    </div>
  );
}
