// What would be signed, and what is contested, in plain words.

import { useEffect, useState } from "preact/hooks";
import { CaseGrade, ContactGrade, StatementKind, type AppealDecision, type CaseContent, type Statement } from "@viridian/wire/console";
import type { ProxyNaming } from "@viridian/wire/console-proxy";

import { hex } from "../../../pages/web/bytes.ts";
import { minuteText, momentText } from "../../../pages/web/dates.ts";
import { language, t } from "../../../pages/web/looks.tsx";
import { mandateText } from "../../../pages/web/mandate.ts";
import type { Words } from "../../../pages/web/words.ts";
import { Due } from "./due.tsx";
import { Line, officeName, province } from "./parts.tsx";
import { desk } from "./session.ts";
import { DEGREES, GRADES, KINDS, LISTS, OTHER_KINDS, WHENS, WORDS } from "./words.ts";

/** What a statement and a contested event have alike. */
interface Fact {
  kind: StatementKind;
  atMinute: number;
  whereProvince: number;
  isPositive: boolean;
  contact: ContactGrade;
  case: CaseGrade;
  exposure: number;
}

/** An identity number as cards have it: area, birth, order. What is copied from it has no spaces. */
function Number18({ number }: { number: string }) {
  return (
    <span class="number" data-testid="number">
      <span>{number.slice(0, 6)}</span>
      <span>{number.slice(6, 14)}</span>
      <span>{number.slice(14)}</span>
    </span>
  );
}

/** Of a fact, what is peculiar to its kind. */
function detail(fact: Fact): Words | undefined {
  switch (fact.kind) {
    case StatementKind.TEST:
      return fact.isPositive ? WORDS.positive : WORDS.negative;
    case StatementKind.CONTACT:
      return DEGREES[fact.contact];
    case StatementKind.CASE:
      return GRADES[fact.case];
    case StatementKind.EXPOSURE:
      return LISTS[fact.exposure];
    default:
      return undefined;
  }
}

function Facts({ fact, name }: { fact: Fact; name: string }) {
  const more = detail(fact);
  const kind = KINDS[fact.kind] ?? OTHER_KINDS[name];
  return (
    <>
      <Line name={WORDS.states}>
        <strong>
          {kind ? t(kind) : name}
          {more && ` · ${t(more)}`}
        </strong>
      </Line>
      <Line name={WHENS[fact.kind] ?? WORDS.when}>{momentText(language.value, fact.atMinute * 60)}</Line>
      {fact.whereProvince !== 0 && <Line name={WORDS.where}>{province(fact.whereProvince)}</Line>}
    </>
  );
}

export function OfStatement({ statement }: { statement: Statement }) {
  return (
    <dl data-testid="statement">
      <Line name={WORDS.number}>
        <Number18 number={statement.identityNumber} />
      </Line>
      <Line name={WORDS.home}>{province(statement.homeProvince || (desk.value?.province ?? 0))}</Line>
      <Facts fact={statement} name="" />
      {statement.targetEvent.length > 0 && (
        <Line name={WORDS.target}>
          <code>{hex(statement.targetEvent)}</code>
        </Line>
      )}
      <Line name={WORDS.office}>{officeName(statement.source)}</Line>
    </dl>
  );
}

export function OfNaming({ naming }: { naming: ProxyNaming }) {
  const [code, setCode] = useState("");
  useEffect(() => {
    // As the proxy's phone shows it, to be compared.
    void mandateText(new Uint8Array(naming.proxyKey)).then(setCode);
  }, [naming]);
  return (
    <dl data-testid="naming">
      <Line name={WORDS.number}>
        <Number18 number={naming.identityNumber} />
      </Line>
      <Line name={WORDS.proxyCode}>
        <code>{code}</code>
      </Line>
      <Line name={WORDS.proxyUntil}>{momentText(language.value, naming.untilMinute * 60)}</Line>
      <Line name={WORDS.office}>{officeName(naming.source)}</Line>
    </dl>
  );
}

export function OfDecision({ decision }: { decision: AppealDecision }) {
  return (
    <dl data-testid="decision">
      <Line name={WORDS.outcome}>
        <strong>{t(decision.isUpheld ? WORDS.uphold : WORDS.dismiss)}</strong>
      </Line>
      <Line name={WORDS.wordsFor}>
        <span class="said">{decision.words}</span>
      </Line>
      <Line name={WORDS.office}>{officeName(decision.source)}</Line>
    </dl>
  );
}

export function OfCase({ content }: { content: CaseContent }) {
  return (
    <div data-testid="case">
      <p>
        <Due by={content.decideByMinute} />
      </p>
      <dl>
        <Facts fact={content} name={content.kindName} />
        <Line name={WORDS.statedBy}>{officeName(content.statedBy)}</Line>
        <Line name={WORDS.statedAt}>{momentText(language.value, content.statedAtMinute * 60)}</Line>
        <Line name={WORDS.came}>{minuteText(language.value, content.openedAtMinute)}</Line>
        <Line name={WORDS.due}>{minuteText(language.value, content.decideByMinute)}</Line>
        <Line name={WORDS.event}>
          <code>{hex(content.eventId)}</code>
        </Line>
      </dl>
      <h4>{t(WORDS.statement)}</h4>
      <blockquote class="said" data-testid="said">
        {content.statement}
      </blockquote>
    </div>
  );
}
