// Signing in by a passkey, and binding one by an invitation.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Fault } from "../../../../pages/web/fault.ts";
import { t } from "../../../../pages/web/looks.tsx";
import { Faulty, Field, toFirstBad, told } from "../parts.tsx";
import { faultOf } from "../service.ts";
import { enrol, invitation, isOver, signIn, signOut } from "../session.ts";
import { WORDS } from "../words.ts";

/** Does one thing at a time, and says what went wrong. */
function useDeed(): { fault: Fault | null; isBusy: boolean; run: (deed: () => Promise<void>) => Promise<void> } {
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const run = async (deed: () => Promise<void>) => {
    if (isBusy) return;
    setBusy(true);
    setFault(null);
    try {
      await deed();
    } catch (error) {
      setFault(faultOf(error));
    }
    setBusy(false);
  };
  return { fault, isBusy, run };
}

export function Enter() {
  const [hasCode, setHasCode] = useState(false);
  if (invitation.value === "" && !hasCode) return <SignIn withCode={() => setHasCode(true)} />;
  return <Enrol key={invitation.value} back={() => setHasCode(false)} />;
}

function SignIn({ withCode }: { withCode: () => void }) {
  const { fault, isBusy, run } = useDeed();
  return (
    <section class="deeds">
      <h2>{t(WORDS.enter)}</h2>
      <p>{t(WORDS.enterText)}</p>
      <Faulty fault={fault} />
      <button class="main" aria-disabled={isBusy} onClick={() => void run(signIn)}>
        {t(isBusy ? WORDS.asking : WORDS.enterDo)}
      </button>
      <button onClick={withCode}>{t(WORDS.enrolOther)}</button>
    </section>
  );
}

/** Letters and digits of base32, as an invitation is written; in groups, small or large. */
function codeOf(typed: string): string | null {
  const code = typed.replace(/[\s-]/g, "").toUpperCase();
  return /^[A-Z2-7]{26}$/.test(code) ? code : null;
}

function Enrol({ back }: { back: () => void }) {
  const { fault, isBusy, run } = useDeed();
  const [typed, setTyped] = useState(invitation.value);
  const [isBad, setBad] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const asked = { name: "code", label: WORDS.enrolCode, bad: isBad ? WORDS.enrolCodeBad : null };
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const code = codeOf(typed);
    setBad(code === null);
    if (code === null) toFirstBad(form.current);
    else void run(() => enrol(code));
  };
  return (
    <form ref={form} onSubmit={send} autocomplete="off" noValidate>
      <h2>{t(WORDS.enrol)}</h2>
      <p>{t(WORDS.enrolText)}</p>
      <Field asked={asked}>
        <input
          {...told(asked)}
          class="number"
          value={typed}
          maxLength={40}
          spellcheck={false}
          autocapitalize="characters"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </Field>
      <Faulty fault={fault} />
      <button class="main" type="submit" aria-disabled={isBusy}>
        {t(isBusy ? WORDS.asking : WORDS.enrolDo)}
      </button>
      <button
        type="button"
        onClick={() => {
          invitation.value = "";
          back();
        }}
      >
        {t(WORDS.enter)}
      </button>
    </form>
  );
}

/** Asks for the passkey over everything that is open; what is under it stays as it is, and is not to be seen. */
export function Again() {
  const { fault, isBusy, run } = useDeed();
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = box.current;
    if (isOver.value) shown?.showModal();
    // Closing gives the focus back to where it was.
    else if (shown?.open) shown.close();
  }, [isOver.value]);
  return (
    <dialog ref={box} aria-labelledby="over" onCancel={(event) => event.preventDefault()}>
      <h2 id="over">{t(WORDS.over)}</h2>
      <p>{t(WORDS.overText)}</p>
      <Faulty fault={fault} />
      <div class="deeds">
        <button class="main" aria-disabled={isBusy} onClick={() => void run(signIn)}>
          {t(isBusy ? WORDS.asking : WORDS.enterDo)}
        </button>
        <button onClick={() => void run(signOut)}>{t(WORDS.overLeave)}</button>
      </div>
    </dialog>
  );
}
