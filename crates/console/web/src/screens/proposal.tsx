// One proposal whole: read, judged by somebody else than who proposed it, or taken back.

import { useEffect, useRef, useState } from "preact/hooks";
import { ProposalState, StaffRole, StatementKind, type ProposalLine, type ReadProposalResponse } from "@viridian/wire/console";

import { fromHex, hex } from "../../../../pages/web/bytes.ts";
import type { Fault } from "../../../../pages/web/fault.ts";
import { t } from "../../../../pages/web/looks.tsx";
import { byteLength, plain } from "../../../../pages/web/typed.ts";
import type { Words } from "../../../../pages/web/words.ts";
import { OfCase, OfDecision, OfNaming, OfStatement } from "../content.tsx";
import { GROUNDS_BYTES_MOST } from "../draft.ts";
import { Faulty, Text, toFirstBad, useAsked } from "../parts.tsx";
import { go, linkTo } from "../route.ts";
import { faultOf } from "../service.ts";
import { call, desk, has, isAttended, isOver } from "../session.ts";
import { WORDS } from "../words.ts";
import { LineTerms, titleOf } from "./proposals.tsx";
import { begin } from "./state.tsx";

export function Proposal({ name }: { name: string }) {
  const proposalId = fromHex(name);
  // Each reading is an act: it is read once, and no more by itself.
  const { found, fault, isAsking, look } = useAsked(() => call((to) => to.readProposal({ proposalId })), [name], false);
  return (
    <section aria-labelledby="proposal">
      <p>
        <a href={linkTo(has(StaffRole.APPROVER) ? "waiting" : "proposals")}>← {t(WORDS.back)}</a>
      </p>
      <h2 id="proposal">
        {t(WORDS.proposal)} {found?.line && `${found.line.number} · ${titleOf(found.line)}`}
      </h2>
      {isAsking && !found && <p role="status">{t(WORDS.asking)}</p>}
      <Faulty fault={fault} />
      {fault && <button onClick={() => void look()}>{t(WORDS.retry)}</button>}
      {found?.line && <Read key={name} read={found} line={found.line} />}
    </section>
  );
}

/** How often it is asked whether the node or the home has answered meanwhile. */
const UNDER_WAY_EVERY_MS = 3_000;
const { SENDING, FORWARDED, CONTESTED, CONFIRMING } = ProposalState;
const UNDER_WAY = [SENDING, FORWARDED, CONTESTED, CONFIRMING];

/** The line as it is now. Asked for as a list, which shows nobody and is no reading. */
function useFresh(before: ProposalLine): [ProposalLine, (line: ProposalLine) => void] {
  const [line, setLine] = useState(before);
  useEffect(() => {
    if (!UNDER_WAY.includes(line.state)) return;
    let isThis = true;
    const timer = setInterval(() => {
      if (!isAttended() || isOver.value) return;
      void call((to) => to.listProposals({ before: line.number + 1n, isByItself: true }), true).then(
        // What was asked before the state became another says nothing of now.
        ({ proposals: [now] }) => isThis && now?.number === line.number && setLine(now),
        () => {},
      );
    }, UNDER_WAY_EVERY_MS);
    return () => {
      isThis = false;
      clearInterval(timer);
    };
  }, [line.state]);
  return [line, setLine];
}

function Read({ read, line: before }: { read: ReadProposalResponse; line: ProposalLine }) {
  const [line, setLine] = useFresh(before);
  const [done, setDone] = useState<Words | null>(null);
  const became = (words: Words) => (now: ProposalLine) => {
    setLine(now);
    setDone(words);
  };
  const isOpen = line.state === ProposalState.WAITING;
  return (
    <>
      <p class="hint">{t(WORDS.recorded)}</p>
      <LineTerms line={line} />
      <h3>{t(WORDS.content)}</h3>
      <Content read={read} />
      <h3>{t(WORDS.grounds)}</h3>
      <blockquote class="said" data-testid="grounds">
        {read.grounds}
      </blockquote>
      {read.judgedWords && (
        <>
          <h3>{t(WORDS.refusedWords)}</h3>
          <blockquote class="said">{read.judgedWords}</blockquote>
        </>
      )}
      {line.mayJudge && isOpen && <Judge line={line} judged={became(WORDS.judged)} />}
      {isOpen && !line.mayJudge && <p class="notice">{t(line.mayWithdraw ? WORDS.own : WORDS.notYours)}</p>}
      {line.mayWithdraw && isOpen && <TakeBack line={line} taken={became(WORDS.takenBack)} />}
      {line.mayConfirm && <Confirm line={line} confirmed={became(WORDS.confirmed)} />}
      {line.state === CONTESTED && !line.mayConfirm && <p class="notice">{t(WORDS.confirmOther)}</p>}
      {done && (
        <p class="done" role="status">
          {t(done)}
        </p>
      )}
      {read.receipt.length > 0 && <Evidence read={read} line={line} />}
    </>
  );
}

function Content({ read: { what, appeal } }: { read: ReadProposalResponse }) {
  if (what.case === "statement") return <OfStatement statement={what.value} />;
  if (what.case === "naming") return <OfNaming naming={what.value} />;
  if (what.case === undefined) return <p>{t(WORDS.contentGone)}</p>;
  return (
    <>
      <OfDecision decision={what.value} />
      <h3>{t(WORDS.inAppeal)}</h3>
      {appeal ? <OfCase content={appeal} /> : <p>{t(WORDS.appealGone)}</p>}
    </>
  );
}

function Judge({ line, judged }: { line: ProposalLine; judged: (line: ProposalLine) => void }) {
  const [asks, setAsks] = useState<"" | "agree" | "refuse">("");
  const [words, setWords] = useState("");
  const [isBad, setBad] = useState(false);
  const [isSending, setSending] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const judge = async (agrees: boolean) => {
    if (isSending) return;
    const why = agrees ? "" : plain(words);
    const isWrong = !agrees && (why === "" || byteLength(why) > GROUNDS_BYTES_MOST);
    setBad(isWrong);
    if (isWrong) return toFirstBad(box.current);
    setSending(true);
    try {
      const { line: now } = await call((to) => to.judgeProposal({ proposalId: line.proposalId, agrees, words: why }));
      if (now) judged(now);
    } catch (error) {
      setFault(faultOf(error));
    }
    setSending(false);
  };
  return (
    <div ref={box} class="judge" data-testid="judge">
      <h3>{t(WORDS.judge)}</h3>
      <Faulty fault={fault} />
      <div class="row">
        <button aria-expanded={asks === "agree"} onClick={() => setAsks(asks === "agree" ? "" : "agree")}>
          {t(WORDS.agree)}
        </button>
        <button aria-expanded={asks === "refuse"} onClick={() => setAsks(asks === "refuse" ? "" : "refuse")}>
          {t(WORDS.refuse)}
        </button>
      </div>
      {asks === "agree" && (
        <>
          <p class="notice strong" role="status">
            {t(WORDS.agreeSure)}
          </p>
          <button class="main" aria-disabled={isSending} onClick={() => void judge(true)}>
            {t(isSending ? WORDS.sending : WORDS.agreeDo)}
          </button>
        </>
      )}
      {asks === "refuse" && (
        <>
          <Text
            asked={{ name: "refusal", label: WORDS.refuseWhy, bad: isBad ? WORDS.refuseWhyBad : null }}
            value={words}
            most={GROUNDS_BYTES_MOST}
            write={setWords}
          />
          <button class="main" aria-disabled={isSending} onClick={() => void judge(false)}>
            {t(isSending ? WORDS.sending : WORDS.refuseDo)}
          </button>
        </>
      )}
    </div>
  );
}

/** Signs a second time what the home contests, as somebody else than who proposed it. */
function Confirm({ line, confirmed }: { line: ProposalLine; confirmed: (line: ProposalLine) => void }) {
  const [isAsked, setAsked] = useState(false);
  const [isSending, setSending] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const confirm = async () => {
    if (isSending) return;
    setSending(true);
    try {
      const { line: now } = await call((to) => to.judgeProposal({ proposalId: line.proposalId, agrees: true, isConfirmation: true }));
      if (now) confirmed(now);
    } catch (error) {
      setFault(faultOf(error));
    }
    setSending(false);
  };
  return (
    <div class="judge" data-testid="confirm">
      <h3>{t(WORDS.confirm)}</h3>
      <p>{t(WORDS.confirmText)}</p>
      <Faulty fault={fault} />
      <button aria-expanded={isAsked} onClick={() => setAsked(!isAsked)}>
        {t(WORDS.confirm)}
      </button>
      {isAsked && (
        <>
          <p class="notice strong" role="status">
            {t(WORDS.confirmSure)}
          </p>
          <button class="main" aria-disabled={isSending} onClick={() => void confirm()}>
            {t(isSending ? WORDS.sending : WORDS.confirmDo)}
          </button>
        </>
      )}
    </div>
  );
}

function TakeBack({ line, taken }: { line: ProposalLine; taken: (line: ProposalLine) => void }) {
  const [isAsked, setAsked] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const take = async () => {
    try {
      await call((to) => to.withdrawProposal({ proposalId: line.proposalId }));
      taken({ ...line, state: ProposalState.WITHDRAWN, mayWithdraw: false });
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  if (!isAsked) return <button onClick={() => setAsked(true)}>{t(WORDS.takeBack)}</button>;
  return (
    <div class="notice" role="alert">
      <p>{t(WORDS.takeBackSure)}</p>
      <Faulty fault={fault} />
      <div class="row">
        <button onClick={() => void take()}>{t(WORDS.sure)}</button>
        <button onClick={() => setAsked(false)}>{t(WORDS.not)}</button>
      </div>
    </div>
  );
}

/** Version of the canonical bytes of an event, which its name follows. */
const EVENT_VERSION = 1;

function Evidence({ read, line }: { read: ReadProposalResponse; line: ProposalLine }) {
  const { event, receipt, what } = read;
  const id = event[0] === EVENT_VERSION ? hex(event.subarray(1, 17)) : null;
  const end = () => {
    if (what.case !== "statement" || id === null) return;
    const { source, identityNumber: number, homeProvince } = what.value;
    const home = String(homeProvince || desk.value?.province || "");
    begin({ source, number, home, kind: String(StatementKind.RELEASE), target: id, known: id });
    go("state");
  };
  const mayEnd = has(StaffRole.CLERK) && what.case === "statement" && what.value.kind !== StatementKind.RELEASE && id !== null;
  return (
    <div class="evidence">
      {id !== null && (
        <p>
          {t(WORDS.event)}: <code data-testid="event">{id}</code>
        </p>
      )}
      <div class="row">
        <button onClick={() => save(`receipt-${line.number}.bin`, receipt)}>{t(WORDS.receiptSave)}</button>
        {event.length > 0 && <button onClick={() => save(`event-${line.number}.bin`, event)}>{t(WORDS.eventSave)}</button>}
        {mayEnd && <button onClick={end}>{t(WORDS.endIt)}</button>}
      </div>
      {event.length > 0 && <p class="hint">{t(WORDS.evidenceHint)}</p>}
    </div>
  );
}

/** Hands a file to the browser. */
function save(name: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
