// The code, black on white, signed anew every half minute. No tick, no colour and no name: what the screen says proves nothing,
// and whoever looks at it instead of scanning it is to see that.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { language, t } from "../../../../pages/web/looks.tsx";
import { CodePicture } from "../code.tsx";
import { minuteText } from "../dates.ts";
import { faultOf, type Fault } from "../fault.ts";
import { challenge, GateCode, putAway } from "../gate_code.tsx";
import { Faulty } from "../parts.tsx";
import { ENDS_SOON_MIN } from "../stock.ts";
import type { KeptPass } from "../store.ts";
import { consent, fetching, fillStock, go, refusal, rulesOf, stockChanged, stockFault, wallet, wish } from "../state.ts";
import type { Shown } from "../wallet.ts";
import { wishName, type Wish } from "../wish.ts";
import { WORDS } from "../words.ts";

/** How often it is looked whether a new half minute has begun. */
const LOOK_EVERY_MS = 500;

const pass = state<KeptPass | null>(null);
const shown = state<Shown | null>(null);
const unshown = state(0);
const fault = state<Fault | null>(null);

/** The taking that is under way: there is one at a time, so that no pass is used up unseen. */
let taking: Promise<void> | null = null;

/** Takes the next pass for what is asked, and has others fetched where few are left. */
function take(): Promise<void> {
  taking ??= taken().finally(() => (taking = null));
  return taking;
}

async function taken(): Promise<void> {
  const open = wallet.value;
  if (!open) return;
  try {
    let wanted: Wish;
    do {
      wanted = wish.value;
      pass.value = await open.stock.take(wanted);
    } while (wish.value !== wanted);
    await count();
    await sign();
  } catch (error) {
    fault.value = faultOf(error);
  }
  void fillStock();
}

async function count(): Promise<void> {
  const held = (await wallet.value?.stock.atHand(wish.value)) ?? [];
  unshown.value = held.filter((one) => one.shown === 0).length;
}

async function sign(): Promise<void> {
  const open = wallet.value;
  const held = pass.value;
  if (!open || !held) {
    shown.value = null;
    return;
  }
  if (held.goodUntil <= open.clock.minute()) {
    // It has ended on the screen: another, if there is one.
    pass.value = null;
    shown.value = null;
    void takeIfThere(); // not waited for: this may be the end of a taking, for which that waits
    return;
  }
  try {
    const answers = challenge.value;
    const code = await open.show(held, answers?.text);
    if (pass.value === held && challenge.value === answers) shown.value = code;
    fault.value = null;
  } catch (error) {
    console.error(error);
    fault.value = faultOf(error);
  }
}

export function Show() {
  useEffect(() => {
    pass.value = shown.value = null;
    void take();
    const look = () => {
      const open = wallet.value;
      if (open && shown.value && open.slot() !== shown.value.slot) void sign();
    };
    const timer = setInterval(look, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", look);
    // The screen stays lit while a gate reads it, where the browser can do that.
    const lit = navigator.wakeLock?.request("screen").catch(() => null);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
      void lit?.then((lock) => lock?.release());
      putAway();
    };
  }, [wish.value]);
  useEffect(() => void sign(), [challenge.value]);
  useEffect(() => {
    // Passes came: the first of them is taken where there was none, or none of this wish.
    if (isWithout()) void takeIfThere();
    else void count();
  }, [stockChanged.value]);

  // What was requested by a consent is revoked once the person has ended it.
  const held = consent.value === "ended" ? null : pass.value;
  return (
    <section class="show">
      {held && shown.value ? <Code held={held} code={shown.value} /> : <Without />}
      <Faulty fault={fault.value} />
      {held && <Meanwhile />}
      <p class="row">
        {held && unshown.value > 0 && <button onClick={() => void take()}>{t(WORDS.nextPass)}</button>}
        <button onClick={() => go("ask")}>{t(WORDS.asked)}</button>
      </p>
    </section>
  );
}

/** Why no others come while a pass is shown. */
function Meanwhile() {
  const why = stockFault.value;
  if (!why || why.code === "NO_NETWORK") return null;
  if (why.code === "UNKNOWN_DEVICE") return <Faulty fault={why} />;
  return (
    <p class="warn" role="status">
      {t(WORDS.keptPasses)} <span class="detail">{why.code}</span>
    </p>
  );
}

function isWithout(): boolean {
  return pass.value?.wish !== wishName(wish.value);
}

async function takeIfThere(): Promise<void> {
  const open = wallet.value;
  if (open && (await open.stock.atHand(wish.value)).length > 0) {
    await taking;
    if (isWithout()) await take();
  }
}

function Without() {
  if (refusal.value) {
    const { ruleIds, testTooOld } = refusal.value;
    return (
      <div class="notice" role="alert">
        <p>{t(WORDS.refused)}</p>
        {ruleIds.length > 0 && (
          <p>
            {t(WORDS.refusedRules)}: {ruleIds.join(", ")}
          </p>
        )}
        {testTooOld && <p>{t(WORDS.refusedTest)}</p>}
        <button class="main" onClick={() => go("status", rulesOf(wish.value))}>
          {t(WORDS.seeStatus)}
        </button>
      </div>
    );
  }
  return (
    <div class="notice">
      <p role="status">{t(fetching.value ? WORDS.fetching : WORDS.noPass)}</p>
      <Faulty fault={fetching.value ? null : stockFault.value} />
      {!fetching.value && (
        <button class="main" onClick={() => void fillStock()}>
          {t(WORDS.retry)}
        </button>
      )}
    </div>
  );
}

function Code({ held, code }: { held: KeptPass; code: Shown }) {
  const left = held.goodUntil - (wallet.value?.clock.minute() ?? 0);
  return (
    <>
      <CodePicture code={code} />
      <p class="strong">{t(WORDS.scanOnly)}</p>
      <GateCode />
      <dl>
        <dt>{t(WORDS.goodUntil)}</dt>
        <dd data-testid="until">
          {minuteText(language.value, held.goodUntil)} · {t(WORDS.gatesMayAsk)}
        </dd>
        <dt>{t(WORDS.asOf)}</dt>
        <dd>{minuteText(language.value, held.asOf)}</dd>
        <dt>{t(WORDS.passesLeft)}</dt>
        <dd>{unshown.value}</dd>
      </dl>
      <p>{t(WORDS.renewed)}</p>
      {left <= ENDS_SOON_MIN && (
        <p class="warn" role="alert">
          {t(WORDS.endsSoon)}
        </p>
      )}
    </>
  );
}
