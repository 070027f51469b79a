// What the node does, and what the trust list says.

import type { CertificateOverview, GetOverviewResponse, ListOverview, NodeOverview, RuleSetLine } from "@viridian/wire/console";

import { minuteText, momentText } from "../../../../pages/web/dates.ts";
import { language, t } from "../../../../pages/web/looks.tsx";
import { spanText } from "../dates.ts";
import { Faulty, Head, Line, officeName, province, useAsked } from "../parts.tsx";
import { linkTo, menu } from "../route.ts";
import { call, nowMinute, nowS } from "../session.ts";
import { HOLDERS, WORDS } from "../words.ts";

/** From when on the end of a certificate is near: a new one takes days to be had. */
const CERTIFICATE_NEAR_S = 30 * 86_400;

export function Overview() {
  const asked = useAsked((isByItself) => call((to) => to.getOverview({ isByItself }), isByItself));
  const { found, fault, isAsking, isStale, look } = asked;
  return (
    <section aria-labelledby="overview">
      <Head words={WORDS.overview} id="overview" isAsking={isAsking} isStale={isStale} look={() => void look()} />
      <Faulty fault={fault} />
      {found && <Known found={found} />}
    </section>
  );
}

function Known({ found }: { found: GetOverviewResponse }) {
  const { node, list, certificates, problem } = found;
  return (
    <>
      {problem && (
        <p class="warn" data-testid="problem">
          {t(WORDS.problem)}:{" "}
          <span class="detail" lang="en">
            {problem}
          </span>
        </p>
      )}
      <h3>{t(WORDS.node)}</h3>
      {node ? <OfNode node={node} /> : <p class="warn">{t(WORDS.nodeNone)}</p>}
      {node && (
        <>
          <h3>{t(WORDS.retention)}</h3>
          <Retention node={node} />
        </>
      )}
      <h3>{t(WORDS.trustList)}</h3>
      {list ? <OfList list={list} /> : <p class="warn">{t(WORDS.trustNone)}</p>}
      {list && (
        <>
          <h3>{t(WORDS.ruleSets)}</h3>
          {list.ruleSets.map((set) => (
            <RuleSet key={`${set.ruleSetId} ${set.version}`} set={set} />
          ))}
          {menu().includes("rules") && (
            <p>
              <a href={linkTo("rules")}>{t(WORDS.rulesMore)}</a>
            </p>
          )}
        </>
      )}
      <h3>{t(WORDS.certificates)}</h3>
      <dl class="terms">
        {certificates.map((certificate) => (
          <Certificate key={certificate.holder} certificate={certificate} />
        ))}
      </dl>
    </>
  );
}

function OfNode({ node }: { node: NodeOverview }) {
  return (
    <div data-testid="node">
      {node.isDraining && <p class="warn">{t(WORDS.draining)}</p>}
      <dl class="terms">
        <Line name={WORDS.clock}>{minuteText(language.value, node.nowMinute)}</Line>
        <Line name={WORDS.epoch}>{node.closedEpoch}</Line>
        <Line name={WORDS.registryEpoch}>
          {node.registryEpoch}
          {node.registryEpoch < node.closedEpoch && <strong class="yellow"> · {t(WORDS.behind)}</strong>}
        </Line>
        <Line name={WORDS.residents}>{String(node.residents)}</Line>
        <Line name={WORDS.events}>{String(node.events)}</Line>
        <Line name={WORDS.proofsQueued}>{node.proofsQueued}</Line>
        <Line name={WORDS.proofsMade}>{String(node.proofsMade)}</Line>
        {node.proveMsMedian > 0 && <Line name={WORDS.proveTime}>{node.proveMsMedian} ms</Line>}
      </dl>
    </div>
  );
}

/** The job runs each day; one that did not is told of once more than a day and the time that it may take have passed. */
const RETAINED_LATE_MIN = 26 * 60;

function Retention({ node }: { node: NodeOverview }) {
  const isLate = node.nowMinute - node.retainedAtMinute > RETAINED_LATE_MIN;
  return (
    <dl class="terms" data-testid="retention">
      <Line name={WORDS.horizon}>
        {node.horizonDays} {t(WORDS.days)}
      </Line>
      <Line name={WORDS.retainedAt}>
        {node.retainedAtMinute === 0 ? t(WORDS.retainedNever) : minuteText(language.value, node.retainedAtMinute)}
        {node.retainedAtMinute > 0 && isLate && <strong class="yellow"> · {t(WORDS.retainedLate)}</strong>}
      </Line>
      <Line name={WORDS.retainedEvents}>{String(node.retainedEvents)}</Line>
      <Line name={WORDS.retainedErased}>{String(node.retainedErased)}</Line>
    </dl>
  );
}

/** How fresh the list is. */
function freshness(list: ListOverview) {
  const age = nowS() - Number(list.issuedAtS);
  if (age >= list.hardStaleS || nowS() >= Number(list.rootExpiresAtS)) return { words: WORDS.hardOver, class: "red" };
  return age >= list.softStaleS ? { words: WORDS.softOver, class: "yellow" } : { words: WORDS.fresh, class: "green" };
}

function OfList({ list }: { list: ListOverview }) {
  const age = nowS() - Number(list.issuedAtS);
  const fresh = freshness(list);
  return (
    <dl class="terms" data-testid="list">
      <Line name={WORDS.age}>
        {spanText(language.value, age / 60)} · <strong class={fresh.class}>{t(fresh.words)}</strong>
      </Line>
      <Line name={WORDS.issued}>{momentText(language.value, Number(list.issuedAtS))}</Line>
      <Line name={WORDS.soft}>{spanText(language.value, list.softStaleS / 60)}</Line>
      <Line name={WORDS.hard}>{spanText(language.value, list.hardStaleS / 60)}</Line>
      <Line name={WORDS.registryEpoch}>{list.epoch}</Line>
      <Line name={WORDS.cosigners}>
        {list.cosigners.map(province).join(language.value === "zh" ? "、" : ", ")} ({list.cosigners.length}/{list.provinces})
      </Line>
      <Line name={WORDS.sequences}>
        {String(list.rootSequence)} / {String(list.onlineSequence)}
      </Line>
      <Line name={WORDS.rootEnds}>{momentText(language.value, Number(list.rootExpiresAtS))}</Line>
    </dl>
  );
}

function RuleSet({ set }: { set: RuleSetLine }) {
  const now = nowMinute();
  const isOver = set.untilMinute !== 0 && now >= set.untilMinute;
  const state = now < set.fromMinute ? WORDS.notYet : isOver ? WORDS.past : WORDS.inForce;
  return (
    <p class="card" data-testid="rules">
      <strong>
        {set.ruleSetId} · {set.version}
      </strong>{" "}
      · {set.scope === 0 ? t(WORDS.nation) : province(set.scope)} · {t(state)}
      {set.isEmergency && <strong class="yellow"> · {t(WORDS.emergency)}</strong>}
      <br />
      {t(WORDS.from)} {momentText(language.value, set.fromMinute * 60)}
      {set.untilMinute !== 0 && ` ${t(WORDS.until)} ${momentText(language.value, set.untilMinute * 60)}`}
    </p>
  );
}

function Certificate({ certificate: { holder, endsAtS } }: { certificate: CertificateOverview }) {
  const left = Number(endsAtS) - nowS();
  const words = HOLDERS[holder];
  const state = left < 0 ? WORDS.ended : left < CERTIFICATE_NEAR_S ? WORDS.endsSoon : null;
  return (
    <div class="line">
      <dt>{words ? t(words) : officeName(holder)}</dt>
      <dd>
        {t(WORDS.ends)} {momentText(language.value, Number(endsAtS))}
        {state && <strong class={left < 0 ? "red" : "yellow"}> · {t(state)}</strong>}
      </dd>
    </div>
  );
}
