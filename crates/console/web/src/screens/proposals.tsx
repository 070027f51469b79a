// Lists of proposals: those that wait for a judgement, and all.

import { signal as state } from "@preact/signals";
import { ProposalState, StaffRole, type ProposalLine } from "@viridian/wire/console";

import { hex } from "../../../../pages/web/bytes.ts";
import { minuteText } from "../../../../pages/web/dates.ts";
import { language, t } from "../../../../pages/web/looks.tsx";
import { Due } from "../due.tsx";
import { Counts, Faulty, Head, Line, officeName, useAsked, useList } from "../parts.tsx";
import { linkTo } from "../route.ts";
import { call, desk, has } from "../session.ts";
import { FAULTS, KINDS, NODE_REASONS, STATES, WORDS } from "../words.ts";

/** Pages of a list that are read at once, at most: as many proposals as a day brings, and more. */
const PAGES_MOST = 16;

/** All that wait, oldest first: so that none waits because newer ones came. */
async function allWaiting(isByItself: boolean): Promise<ProposalLine[]> {
  const lines: ProposalLine[] = [];
  let before = 0n;
  for (let page = 0; page < PAGES_MOST; page++) {
    const answer = await call((to) => to.listProposals({ onlyWaiting: true, before, isByItself }), isByItself);
    lines.push(...answer.proposals);
    before = answer.next;
    if (before === 0n) break;
  }
  return lines.reverse();
}

export function Waiting() {
  const { found, fault, isAsking, isStale, look } = useAsked(allWaiting);
  return (
    <section aria-labelledby="waiting">
      <Head words={WORDS.waiting} id="waiting" isAsking={isAsking} isStale={isStale} look={() => void look()} />
      <p>{t(WORDS.waitingText)}</p>
      <Faulty fault={fault} />
      {found && <CountWaiting count={found.length} />}
      {found?.length === 0 && <p>{t(WORDS.waitingNone)}</p>}
      {found?.map((line) => <One key={line.number} line={line} />)}
    </section>
  );
}

const onlyMine = state(false);

function CountWaiting({ count }: { count: number }) {
  return (
    <Counts>
      {t(WORDS.waiting)}: <strong>{count}</strong>
    </Counts>
  );
}

async function ask(before: bigint, isByItself: boolean) {
  const { proposals, next, waiting } = await call((to) => to.listProposals({ before, isByItself }), isByItself);
  return { lines: proposals, next, waiting };
}

export function Proposals() {
  const { found, all, fault, isAsking, isStale, look, more } = useList(ask);
  const shown = all.filter((line) => !onlyMine.value || isOwn(line));
  return (
    <section aria-labelledby="proposals">
      <Head words={WORDS.proposals} id="proposals" isAsking={isAsking} isStale={isStale} look={() => void look()} />
      <p>{t(WORDS.proposalsText)}</p>
      {(has(StaffRole.CLERK) || has(StaffRole.APPEALS_OFFICER)) && (
        <label class="tick">
          <input type="checkbox" checked={onlyMine.value} onChange={(event) => (onlyMine.value = event.currentTarget.checked)} />
          {t(WORDS.onlyMine)}
        </label>
      )}
      <Faulty fault={fault} />
      {found && <CountWaiting count={found.waiting} />}
      {found && shown.length === 0 && <p>{t(WORDS.proposalsNone)}</p>}
      {shown.map((line) => (
        <One key={line.number} line={line} />
      ))}
      {more && <button onClick={() => void more()}>{t(WORDS.older)}</button>}
    </section>
  );
}

function isOwn(line: ProposalLine): boolean {
  return line.proposedBy === desk.value?.name;
}

/** What it would do, in a few words. */
export function titleOf(line: ProposalLine): string {
  if (line.isNaming) return t(WORDS.nameProxy);
  const kind = KINDS[line.kind];
  return kind ? t(kind) : `${t(WORDS.appeal)} · ${t(line.isUpheld ? WORDS.uphold : WORDS.dismiss)}`;
}

function One({ line }: { line: ProposalLine }) {
  const mayRead = has(StaffRole.APPROVER) || isOwn(line) || line.mayWithdraw;
  const title = `${titleOf(line)} · ${line.number}`;
  return (
    <article class="card" data-testid="line">
      <h3>{mayRead ? <a href={linkTo("proposal", hex(line.proposalId))}>{title}</a> : title}</h3>
      {line.mayWithdraw && <p class="hint">{t(WORDS.isOwn)}</p>}
      <LineTerms line={line} />
    </article>
  );
}

/** What a line says besides its title. */
export function LineTerms({ line }: { line: ProposalLine }) {
  const states = STATES[line.state];
  const by = line.state === ProposalState.WAITING ? line.lapsesAtMinute : line.untilMinute;
  return (
    <>
      <p class={`state-${line.state}`} data-testid="state">
        <strong>{states && t(states)}</strong> {by !== 0 && <Due by={by} />}
      </p>
      {line.nodeReason && <NodeSaid reason={line.nodeReason} />}
      <dl class="terms">
        <Line name={WORDS.office}>{officeName(line.source)}</Line>
        <Line name={WORDS.proposedBy}>
          {line.proposedBy} · {minuteText(language.value, line.proposedAtMinute)}
        </Line>
        {line.untilMinute !== 0 && <Line name={WORDS.due}>{minuteText(language.value, line.untilMinute)}</Line>}
        {line.judgedBy && (
          <Line name={WORDS.judgedBy}>
            {line.judgedBy} · {minuteText(language.value, line.judgedAtMinute)}
          </Line>
        )}
      </dl>
    </>
  );
}

function NodeSaid({ reason }: { reason: string }) {
  const words = NODE_REASONS[reason] ?? FAULTS[reason];
  return (
    <p class={reason === "forwarded" ? "hint" : "warn"}>
      {reason !== "UNKNOWN_OFFICE" && `${t(WORDS.nodeSaid)}: `}
      {words && t(words)} <span class="detail">{reason}</span>
    </p>
  );
}
