// Poseidon by two implementations that are not ours: circomlibjs (its reference form, and its optimised one) and
// poseidon-lite.
//
// Reads from standard input, as one JSON array, objects {"inputs": ["decimal", ...], "tag": "decimal" or "0"}; writes one
// JSON array of objects {"reference": "decimal", "optimised": "decimal", "lite": "decimal" or null}. The tag is the
// capacity lane's first value; poseidon-lite has none to set, so it is asked for the tag 0 only.
import { buildPoseidonOpt, buildPoseidonReference } from "circomlibjs";
import * as lite from "poseidon-lite";

let text = "";
for await (const part of process.stdin) text += part;

const reference = await buildPoseidonReference();
const optimised = await buildPoseidonOpt();
// An element, from its decimal digits and from them alone: circomlibjs would take a string of another form too.
const number = (digits) => {
  if (!/^(0|[1-9][0-9]{0,77})$/.test(digits)) throw new Error(`no number: ${digits}`);
  return BigInt(digits);
};

const answers = JSON.parse(text).map(({ inputs, tag }) => {
  const values = inputs.map(number);
  const capacity = number(tag);
  const by = (hash) => hash.F.toString(hash(values, capacity));
  return {
    reference: by(reference),
    optimised: by(optimised),
    lite: capacity === 0n ? lite[`poseidon${values.length}`](values).toString() : null,
  };
});
// circomlibjs leaves its curve's threads running; they end with the process, once all is written.
process.stdout.write(JSON.stringify(answers) + "\n", () => process.exit(0));
