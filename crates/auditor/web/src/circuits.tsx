// Circuits with their digests, and where their keys come from.

import { hex } from "../../../pages/web/bytes.ts";
import { t } from "../../../pages/web/looks.tsx";
import { Digest, Line } from "./parts.tsx";
import { overview } from "./state.ts";
import { WORDS } from "./words.ts";

export function Circuits() {
  const circuits = overview.value?.circuits ?? [];
  return (
    <section aria-labelledby="circuits">
      <h2 id="circuits">{t(WORDS.circuits)}</h2>
      <p>{t(WORDS.circuitsText)}</p>
      {circuits.length === 0 && <p class="warn">{t(WORDS.listNone)}</p>}
      {circuits.map((circuit) => (
        <article class="card" key={hex(circuit.circuitId)} data-testid="circuit">
          <h3>{t(circuit.isOpening ? WORDS.forOpenings : WORDS.forPasses)}</h3>
          <dl>
            <Line name={WORDS.provenance}>
              <strong>{t(circuit.isTest ? WORDS.testKey : WORDS.productionKey)}</strong>
            </Line>
            <Line name={WORDS.circuitId}>
              <Digest bytes={circuit.circuitId} />
            </Line>
            <Line name={WORDS.matrixDigest}>
              <Digest bytes={circuit.matrixDigest} />
            </Line>
            <Line name={WORDS.keyDigest}>
              <Digest bytes={circuit.keySha256} />
            </Line>
          </dl>
        </article>
      ))}
    </section>
  );
}
